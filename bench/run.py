#!/usr/bin/env python3
"""Times hf2mlx beside mlx_lm.convert and cp on a full-size random model, and looks at memory and start-up.

    bench/run.py --program build/hf2mlx [--model qwen3-1.7b] [--rounds 5] [--folder DIR] [--no-reference] [--modes | -- flags of the conversion]

A round runs each of the three once, one after the other, so that a slow minute of the machine hits all alike; figures are medians of the
rounds, and their ratios. The model is read once before, so the page cache is warm where it fits. Flags are -q unless given.
Models stay in the folder for the next time (build/bench otherwise); outputs go. With --modes every kind of conversion has its rounds.

With --hub it times a download of the model beside "hf download" (Xet off) instead, both from the same server on loopback, into an empty cache.
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests" / "golden")]
START_ROUNDS = 20
MODES = ["", "-q", *(f"-q --q-bits {bits}" for bits in (2, 3, 5, 6, 8)), *(f"-q --q-mode {mode}" for mode in ("mxfp4", "mxfp8", "nvfp4")),
         "-q --quant-predicate mixed_4_6", "--dtype float16"]


def measure(command, environment=os.environ | {"HF_HUB_OFFLINE": "1"}):
    """(seconds, peak bytes of memory) of one run."""
    launcher = [sys.executable, "-S", "-E", ROOT / "bench" / "measure.py"]
    done = subprocess.run(list(map(str, [*launcher, *command])), stdout=subprocess.PIPE, text=True, env=environment)
    if done.returncode != 0:
        sys.exit(f"failed: {' '.join(map(str, command))}")
    seconds, peak_bytes = done.stdout.split()
    return float(seconds), int(peak_bytes)


def source_of(folder, model):
    source = folder / model.replace(":", "-")
    done = source.with_suffix(source.suffix + ".complete")
    if not done.exists():
        import make_model
        print(f"making {model} ...", flush=True)
        shutil.rmtree(source, ignore_errors=True)
        make_model.make(source, model)
        done.touch()
    for file in source.glob("*.safetensors"):
        with open(file, "rb") as stream:
            while stream.read(1 << 24):
                pass
    return source


def contenders(options, flags, source, output):
    out = {"hf2mlx": [options.program, "convert", source, output, "--quiet", *flags],
           "mlx_lm.convert": [sys.executable, "-m", "mlx_lm", "convert", "--hf-path", source, "--mlx-path", output, *flags],
           "cp -r": ["cp", "-r", source, output]}
    if options.no_reference:
        del out["mlx_lm.convert"]
    return out


def run_rounds(options, flags, source, output):
    """name -> list of (seconds, peak bytes)"""
    import oracle
    commands = contenders(options, flags, source, output)
    results, written = {name: [] for name in commands}, {}
    for round_number in range(options.rounds):
        for name, command in commands.items():
            shutil.rmtree(output, ignore_errors=True)
            results[name].append(measure(command))
            if round_number == 0 and name != "cp -r":
                written[name] = oracle.read_output(output)
        print(f"round {round_number + 1}: " + ", ".join(f"{name} {runs[-1][0]:.2f} s" for name, runs in results.items()), flush=True)
    shutil.rmtree(output, ignore_errors=True)
    if len(written) == 2:
        found = list(oracle.differences(written["mlx_lm.convert"], written["hf2mlx"]))
        print("output: " + ("the same tensors and config" if not found else f"{len(found)} DIFFERENCES, first: {found[0]}"))
    return results


def medians_of(results):
    return {name: statistics.median(seconds for seconds, _ in runs) for name, runs in results.items()}


def run_modes(options, source, output):
    for mode in MODES:
        print(f"\n{mode or 'no flags'}", flush=True)
        results = run_rounds(options, mode.split(), source, output)
        medians = medians_of(results)
        peak = max(bytes_ for _, bytes_ in results["hf2mlx"])
        print(", ".join(f"{name} {s:.2f} s ({s / medians['hf2mlx']:.1f}x)" for name, s in medians.items()) + f", peak {peak / 1e6:.1f} MB", flush=True)


def print_results(results):
    medians = medians_of(results)
    print(f"\n{'':16} {'median s':>9} {'fastest':>9} {'slowest':>9} {'peak MB':>9} {'of hf2mlx':>10}")
    for name, runs in results.items():
        seconds = [s for s, _ in runs]
        peak = max(bytes_ for _, bytes_ in runs)
        print(f"{name:16} {medians[name]:9.2f} {min(seconds):9.2f} {max(seconds):9.2f} {peak / 1e6:9.1f} {medians[name] / medians['hf2mlx']:9.1f}x")


def print_start_up(options):
    ours = statistics.median(measure([options.program, "--version"])[0] for _ in range(START_ROUNDS))
    print(f"\nstart-up: hf2mlx {ours * 1e3:.1f} ms", end="")
    if not options.no_reference:
        theirs = statistics.median(measure([sys.executable, "-m", "mlx_lm", "convert", "--help"])[0] for _ in range(3))
        print(f", mlx_lm.convert {theirs * 1e3:.0f} ms", end="")
    print()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=lambda text: Path(text).resolve(), required=True)
    parser.add_argument("--model", default="qwen3-1.7b", help="as bench/make_model.py names them; qwen3-30b-a3b:6 is a mixture that fits")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "bench")
    parser.add_argument("--no-reference", action="store_true", help="without mlx_lm.convert, or hf download")
    parser.add_argument("--modes", action="store_true", help="each kind of conversion in turn")
    parser.add_argument("--hub", action="store_true", help="the download in place of the conversion")
    parser.add_argument("flags", nargs="*", help="of the conversion, after --")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    source = source_of(options.folder, options.model)
    size = sum(file.stat().st_size for file in source.glob("*.safetensors"))
    print(f"{options.model}: {size / 1e9:.1f} GB, {os.cpu_count()} cores", end="")
    if options.hub:
        import hub
        print(", downloads", flush=True)
        return print_results(hub.run_rounds(options, source, measure))
    if options.modes:
        print(flush=True)
        return run_modes(options, source, options.folder / "output")
    flags = options.flags or ["-q"]
    print(f", flags {' '.join(flags)}", flush=True)
    print_results(run_rounds(options, flags, source, options.folder / "output"))
    print_start_up(options)


if __name__ == "__main__":
    main()
