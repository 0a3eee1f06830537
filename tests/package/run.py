#!/usr/bin/env python3
"""The installed package as a stranger uses it: programs outside of the tree that find the library by CMake and by pkg-config.

    run.py --build BUILD_FOLDER --cxx COMPILER --cc COMPILER [NAME...]
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "examples" / "tiny-qwen3"
HEADERS = sorted((ROOT / "include" / "hf2mlx").glob("*.h"))
STRICT = ["-Wall", "-Wextra", "-pedantic", "-Werror"]
CANCELLED = 130
settings = argparse.Namespace()


def run(*command, check=True, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def defined_symbols(library):
    lines = run("nm", "-D", "-C", "--defined-only", library).stdout.splitlines()
    return {line.split(maxsplit=2)[2] for line in lines if len(line.split(maxsplit=2)) == 3}


def functions_of_c():
    return set(re.findall(r"\b(hf2mlx_\w+)\(", (ROOT / "include/hf2mlx/hf2mlx.h").read_text().split('extern "C"')[1]))


def public_names_of_cpp():
    """Of functions and classes that HF2MLX_API marks."""
    text = "".join(header.read_text() for header in HEADERS if header.name != "hf2mlx.h")
    return set(re.findall(r"HF2MLX_API [\w:<>,]+ (\w+)\(", text)) | set(re.findall(r"class HF2MLX_API (\w+)", text))


class Headers(unittest.TestCase):
    def test_each_compiles_alone(self):
        includes = "".join(f'#include "hf2mlx/{header.name}"\n' for header in HEADERS)
        for header in HEADERS:
            if header.name == "hf2mlx.h":
                text, command = '#include "hf2mlx/hf2mlx.h"\n' * 2, [settings.cc, "-std=c99", "-x", "c"]
            else:
                text, command = f'#include "hf2mlx/{header.name}"\n' * 2, [settings.cxx, "-std=c++20", "-x", "c++"]
            run(*command, *STRICT, "-fsyntax-only", "-I", ROOT / "include", "-", input=text)
        run(settings.cxx, "-std=c++20", "-x", "c++", *STRICT, "-fsyntax-only", "-I", ROOT / "include", "-", input=includes)

    def test_they_include_the_standard_library_and_each_other_only(self):
        for header in HEADERS:
            for name in re.findall(r"#\s*include\s+(\S+)", header.read_text()):
                is_ours = name.startswith('"hf2mlx/') and (ROOT / "include" / name.strip('"')).exists()
                is_standard = re.fullmatch(r"<\w+>|<std\w+\.h>", name)
                self.assertTrue(is_ours or is_standard, f"{header.name} includes {name}")


class Symbols(unittest.TestCase):
    def test_the_shared_library_shows_what_is_public(self):
        if sys.platform == "darwin":
            self.skipTest("nm of GNU")
        shown = defined_symbols(settings.build / "libhf2mlx.so")
        self.assertLessEqual(functions_of_c(), shown)
        names = public_names_of_cpp()
        self.assertGreater(len(names), 10)
        others = set()
        for symbol in shown - functions_of_c():
            plain = re.sub(r"^(typeinfo( name)?|vtable) for ", "", symbol)
            match = re.match(r"hf2mlx::(\w+)", plain.replace("[abi:cxx11]", ""))
            if not match or match.group(1) not in names | {"Verification"}:
                others.add(symbol)
        self.assertEqual(others, set())


class Installed(unittest.TestCase):
    """A static library under one prefix, a shared one under another, both out of the same objects."""

    @classmethod
    def setUpClass(cls):
        cls.scratch = Path(tempfile.mkdtemp())
        cls.static, cls.shared = cls.scratch / "static", cls.scratch / "shared"
        run("cmake", "--install", settings.build, "--prefix", cls.static)
        run("cmake", "--install", settings.build, "--prefix", cls.shared, "--component", "shared")
        (found,) = cls.shared.glob("lib*/**/libhf2mlx.so")
        cls.libdir = found.parent

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.scratch)

    def pkg_config(self, prefix, *words):
        (folder,) = prefix.glob("lib*/**/pkgconfig")
        environment = os.environ | {"PKG_CONFIG_PATH": f"{folder}:{os.environ.get('PKG_CONFIG_PATH', '')}"}
        return run("pkg-config", *words, "hf2mlx", env=environment).stdout.split()

    def build_by_cmake(self, name, prefix):
        build = self.scratch / name
        run("cmake", "-S", ROOT / "examples/cpp", "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_CXX_COMPILER={settings.cxx}")
        run("cmake", "--build", build)
        return build / "convert"

    def check_example(self, example, folder, **options):
        """Converts, shows progress; cancelled, it leaves nothing."""
        out = self.scratch / folder
        done = run(example, MODEL, out, **options)
        self.assertIn("100 %", done.stderr)
        self.assertIn("bits per weight", done.stdout)
        self.assertTrue((out / "model.safetensors").exists())
        stopped = self.scratch / f"{folder}-stopped"
        done = run(example, MODEL, stopped, "--stop-at", "0", check=False, **options)
        self.assertEqual((done.returncode, done.stdout), (CANCELLED, ""))
        self.assertFalse(stopped.exists())

    def test_program_and_manual(self):
        self.assertIn(self.pkg_config(self.static, "--modversion")[0], run(self.static / "bin/hf2mlx", "--version").stdout)
        self.assertTrue((self.static / "share/man/man1/hf2mlx.1").exists())

    def test_static_library_by_cmake(self):
        self.check_example(self.build_by_cmake("cmake-static", self.static), "out-static")

    def test_shared_library_by_cmake(self):
        example = self.build_by_cmake("cmake-shared", self.shared)
        self.check_example(example, "out-shared")

    def test_cpp_by_pkg_config(self):
        example = self.scratch / "convert-cpp"
        flags = self.pkg_config(self.shared, "--cflags", "--libs")
        self.assertNotIn("-lcurl", flags)
        run(settings.cxx, "-std=c++20", ROOT / "examples/cpp/convert.cc", *flags, f"-Wl,-rpath,{self.libdir}", "-o", example)
        self.check_example(example, "out-pkg-config")

    def test_c_by_pkg_config(self):
        flags = self.pkg_config(self.static, "--static", "--cflags", "--libs")
        self.assertIn("-lcurl", flags)
        example = self.scratch / "convert-c"
        # Debian's libcurl.pc names the private libraries of a static libcurl as well, which are not needed here.
        flags = self.pkg_config(self.static, "--cflags", "--libs")
        run(settings.cc, "-std=c99", *STRICT, ROOT / "examples/c/convert.c", *flags, "-o", example)
        done = run(example, f'{{"model": "{MODEL}", "output": "{self.scratch}/out-c"}}')
        self.assertIn('"quantized_layers": 0', done.stdout)
        self.assertIn("100 %", done.stderr)


class DebianPackage(unittest.TestCase):
    def setUp(self):
        for tool in ("cpack", "dpkg", "dpkg-deb", "dpkg-shlibdeps"):
            if not shutil.which(tool):
                self.skipTest(f"there is no {tool}")
        self.scratch = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.scratch)
        run("cpack", "-G", "DEB", "--config", settings.build / "CPackConfig.cmake", "-B", self.scratch)
        self.packages = {path.name.split("_")[0]: path for path in self.scratch.glob("*.deb")}

    def field(self, package, name):
        return run("dpkg-deb", "--field", self.packages[package], name).stdout.strip()

    def test_contents_and_control(self):
        self.assertEqual(set(self.packages), {"hf2mlx", "libhf2mlx-dev"})
        depends = self.field("hf2mlx", "Depends")
        for library in ("libc6", "libcurl4", "libtbb12", "libssl3"):
            self.assertIn(library, depends)
        self.assertEqual(self.field("hf2mlx", "Architecture"), run("dpkg", "--print-architecture").stdout.strip())
        self.assertIn("libtbb-dev", self.field("libhf2mlx-dev", "Depends"))
        listing = run("dpkg-deb", "--contents", self.packages["hf2mlx"]).stdout
        for path in ("./usr/bin/hf2mlx", "./usr/share/man/man1/hf2mlx.1", "./usr/share/bash-completion/completions/hf2mlx",
                     "./usr/share/doc/hf2mlx/copyright"):
            self.assertIn(f" {path}\n", listing)
        self.assertNotIn("/include/", listing)
        listing = run("dpkg-deb", "--contents", self.packages["libhf2mlx-dev"]).stdout
        self.assertRegex(listing, r" \./usr/lib/\S*libhf2mlx\.a\n")
        self.assertIn(" ./usr/include/hf2mlx/convert.h\n", listing)
        self.assertNotIn("/bin/", listing)

    def test_installed_and_removed(self):
        if os.geteuid() != 0:
            self.skipTest("dpkg -i is for root")
        known = run("dpkg-query", "-W", "-f", "${Status}", "hf2mlx", check=False).stdout
        if "ok installed" in known or Path("/usr/bin/hf2mlx").exists():
            self.skipTest("hf2mlx is installed on this machine")
        self.dpkg("-i", self.packages["hf2mlx"])
        self.addCleanup(self.dpkg, "--purge", "hf2mlx")
        out = self.scratch / "out"
        run("/usr/bin/hf2mlx", "convert", MODEL, out, "-q", "--quiet")
        self.assertTrue((out / "config.json").exists())
        self.dpkg("--purge", "hf2mlx")
        for path in ("/usr/bin/hf2mlx", "/usr/share/man/man1/hf2mlx.1", "/usr/share/doc/hf2mlx"):
            self.assertFalse(Path(path).exists(), path)

    def dpkg(self, *words):
        """Another dpkg or apt may hold the lock for a while."""
        for _ in range(60):
            done = run("dpkg", *words, check=False)
            if done.returncode == 0 or "lock" not in done.stderr:
                break
            time.sleep(1)
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--cxx", required=True)
    parser.add_argument("--cc", required=True)
    _, rest = parser.parse_known_args(namespace=settings)
    unittest.main(argv=[sys.argv[0], *rest])
