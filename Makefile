# The usual ways through the project. `make help` lists them; each installs what it needs (scripts/setup.sh) and does nothing twice.
SHELL := /bin/bash
JOBS ?= $(shell getconf _NPROCESSORS_ONLN)
export CMAKE_BUILD_PARALLEL_LEVEL ?= $(JOBS)

.PHONY: help build demo test test-arm64 test-libcxx lint format tidy bench bench-quality docs install portable clean

help:  ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' Makefile | expand -t 16

build:  ## the program: build/hf2mlx
	scripts/setup.sh build
	cmake --preset release
	cmake --build --preset release

demo: build  ## converts examples/tiny-qwen3 to 4 bit and shows what came out
	scripts/demo.sh build/hf2mlx

test:  ## builds everything and runs all tests, those against the real mlx-lm included
	scripts/setup.sh test
	cmake --preset dev
	cmake --build --preset dev
	HF2MLX_REQUIRE_ORACLE=1 ctest --preset dev --parallel $(JOBS)

test-arm64:  ## the kernels' tests and some golden cases, cross-compiled for arm64 and run by qemu; Debian only
	scripts/setup.sh arm64
	cmake --preset arm64
	cmake --build --preset arm64
	ctest --preset arm64 --parallel $(JOBS)

test-libcxx:  ## all tests but those against mlx-lm, built by clang with libc++ as on macOS; Debian only
	scripts/setup.sh libcxx
	[ -f build-libcxx/prefix/complete ] || scripts/libcxx.sh build-libcxx/prefix
	cmake --preset libcxx
	cmake --build --preset libcxx
	ctest --preset libcxx --parallel $(JOBS)

lint:  ## format, sizes, layers, documents
	scripts/setup.sh lint
	scripts/lint.sh

format:  ## clang-format over all sources
	scripts/setup.sh lint
	scripts/format.sh

tidy:  ## clang-tidy over src/, slow
	cmake --preset dev
	scripts/tidy.sh build-dev

bench: build  ## times us, mlx_lm.convert and cp on full-size random models, or with ARGS=--hub downloads; more ARGS in bench/run.py
	scripts/setup.sh test
	.venv/bin/python bench/run.py --program build/hf2mlx $(ARGS)

bench-quality: build  ## what quantizations cost the output of examples/tiny-qwen3, ours beside mlx_lm's; more ARGS in bench/quality.py
	scripts/setup.sh test
	.venv/bin/python bench/quality.py --program build/hf2mlx $(ARGS)

docs:  ## the documents as a site: build/site/index.html
	scripts/setup.sh test
	scripts/docs.sh build/site

install: build  ## into PREFIX, /usr/local otherwise
	cmake --install build --prefix $(or $(PREFIX),/usr/local)

portable:  ## a program in one file for other Linux systems: build-portable/dist/
	scripts/setup.sh build
	[ -f build-portable/static/libfmt.a ] || scripts/static_libraries.sh build-portable/static
	cmake --preset portable
	cmake --build --preset portable
	cpack -G TGZ --config build-portable/CPackConfig.cmake -B build-portable/dist

clean:  ## build folders; .venv stays
	rm -rf build build-*
