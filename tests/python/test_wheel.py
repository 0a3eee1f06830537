"""What is in the wheel, and that it works with nothing else installed."""
import subprocess
import sys
import zipfile
from pathlib import Path

from conftest import ROOT, SOURCE, run_checked

TYPED = '''
from pathlib import Path
from typing import Any, Union

from hf2mlx import CancelToken, Error, Layer, Plan, Report, UploadReport, convert, convert_variants, inspect, plan, upload, verify


def predicate(path: str, layer: Layer) -> Union[bool, dict[str, Any]]:
    return {"bits": 8} if layer.weight.shape[-1] > 64 else "bias" in layer


report: Report = convert("model", Path("out"), quantize=True, quant_predicate=predicate, progress=lambda what, done, total: None,
                         cancel=CancelToken(), overrides={"lm_head": 8, "*.o_proj": {"bits": 6}})
sizes: dict[str, int] = {size.label: size.bytes for size in inspect("model").sizes}
planned: Plan = plan("model", Path("out"), quantize=True, quant_predicate=predicate, target_size="5GB")
several: list[Report] = convert_variants([4, "mxfp4"], "model", mlx_path=Path("out"), quant_predicate=predicate)
sent: UploadReport = upload(Path("out"), "me/model", message="first", cancel=CancelToken())
try:
    verify("out", source="model").worst.upper()
except Error as error:
    error.hint.upper()
'''


def test_the_wheel_holds_the_package_the_module_and_the_program(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    sources = {f"hf2mlx/{path.name}" for path in (ROOT / "python" / "hf2mlx").iterdir() if path.suffix in (".py", ".pyi", ".typed")}
    assert "hf2mlx/py.typed" in sources and sources <= set(names)
    assert len([name for name in names if name.startswith("hf2mlx/_hf2mlx.") and name.endswith(".so")]) == 1
    assert len([name for name in names if name.endswith(".data/scripts/hf2mlx")]) == 1
    assert len([name for name in names if name.endswith("man1/hf2mlx.1")]) == 1
    assert any(name.endswith("LICENSE") for name in names)
    assert not any("test" in name or name.endswith((".cc", ".h", ".a", ".arch")) for name in names)


def test_the_program_runs(fresh, tmp_path):
    version = fresh.run("-c", "import hf2mlx; print(hf2mlx.__version__)").strip()
    assert run_checked(fresh.program, "--version") == f"hf2mlx {version}\n"
    assert fresh.run("-m", "hf2mlx", "--version") == f"hf2mlx {version}\n"
    assert fresh.run("-c", "from importlib.metadata import version; print(version('hf2mlx'))").strip() == version
    run_checked(fresh.program, "convert", SOURCE, "out", "-q", cwd=tmp_path)
    assert (tmp_path / "out" / "model.safetensors").exists()


def test_the_package_needs_no_other(fresh, tmp_path):
    code = f"""
import sys, hf2mlx
report = hf2mlx.convert({str(SOURCE)!r}, 'out', quantize=True, quant_predicate=lambda path, layer: path != 'lm_head')
print(report.quantized_layers)
own = [m.__file__ for m in sys.modules.values() if 'site-packages' in (getattr(m, '__file__', None) or '')]
assert own and all('/hf2mlx/' in name for name in own), own
"""
    assert fresh.run("-c", code, cwd=tmp_path) == "43\n"


def test_what_the_module_exports_does_not_get_in_the_way(fresh):
    module = next(fresh.packages.glob("hf2mlx/_hf2mlx*.so"))
    if sys.platform != "linux":
        return
    symbols = run_checked("nm", "-D", "--defined-only", module).splitlines()
    strong = [line.split()[-1] for line in symbols if line.split()[-2] not in "wWvVu"]
    assert strong == ["PyInit__hf2mlx"]


def test_types_are_checked(fresh, tmp_path):
    (tmp_path / "typed.py").write_text(TYPED)
    mypy = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path / "cache", "--python-executable", fresh.python]
    run_checked(*mypy, "typed.py", cwd=tmp_path)
    run_checked(*mypy, "-p", "hf2mlx", cwd=tmp_path)
    for call in ("convert('model', ", "plan('model', ", "convert_variants([4], 'model', "):
        name = call.split("(")[0]
        (tmp_path / "wrong.py").write_text(f"from hf2mlx import {name}\nresult = {call}q_bits='four')\nresult.upper()\n")
        done = subprocess.run([*map(str, mypy), "wrong.py"], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 1 and '"q_bits"' in done.stdout and '"upper"' in done.stdout, done.stdout


def test_the_version_is_that_of_the_project(wheel):
    line = next(line for line in (ROOT / "CMakeLists.txt").read_text().splitlines() if line.startswith("project("))
    assert Path(wheel).name.split("-")[1] == line.split()[2]
