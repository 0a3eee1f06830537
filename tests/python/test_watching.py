"""Progress, threads, and all the ways in which a call ends early: nothing is left behind."""
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from conftest import MODEL, SOURCE


def test_a_callback_hears_of_all_bytes(hf2mlx):
    heard = []
    report = hf2mlx.convert(SOURCE, "out", quantize=True, progress=lambda *told: heard.append((*told, threading.get_ident())))
    assert {ident for *_, ident in heard} == {threading.get_ident()}
    what, done, total, _ = heard[-1]
    assert what == "converting" and done == total >= report.source_bytes > 0
    assert heard[0][1] == 0 and [done for _, done, _, _ in heard] == sorted(done for _, done, _, _ in heard)


def test_what_a_callback_raises_ends_the_call(hf2mlx, slow_model):
    class Enough(Exception):
        pass

    enough = Enough()

    def stop(what, done, total):
        if done > 0:
            raise enough

    with pytest.raises(Enough) as caught:
        hf2mlx.convert(slow_model, "out", quantize=True, progress=stop)
    assert caught.value is enough
    assert os.listdir() == []


def test_what_a_predicate_raises_ends_the_call(hf2mlx):
    enough = RuntimeError("enough")
    asked = []

    def predicate(path, layer):
        asked.append((path, threading.get_ident()))
        if len(asked) == 3:
            raise enough
        return True

    with pytest.raises(RuntimeError) as caught:
        hf2mlx.convert(SOURCE, "out", quantize=True, quant_predicate=predicate)
    assert caught.value is enough and len(asked) == 3 and {ident for _, ident in asked} == {threading.get_ident()}
    assert os.listdir() == []


def test_a_predicate_is_asked_once_for_each_layer(hf2mlx):
    asked = []
    hf2mlx.convert(SOURCE, "out", quantize=True, quant_predicate=lambda path, layer: not asked.append((path, repr(layer))))
    assert len(asked) == len(set(asked)) == 44
    assert ("lm_head", "Linear('lm_head', shape=(4096, 256))") in asked


@pytest.mark.parametrize("how", ["keyboard", "inside a callback"])
def test_ctrl_c(fresh, slow_model, tmp_path, how):
    """A child that gets SIGINT in the middle of a conversion."""
    own = "os.kill(os.getpid(), signal.SIGINT)" if how == "inside a callback" else "pass"
    code = f"""
import os, signal, hf2mlx
signal.signal(signal.SIGINT, signal.default_int_handler)
def told(what, done, total):
    print(done, flush=True)
    if done > 0: {own}
try:
    hf2mlx.convert({str(slow_model)!r}, "out", quantize=True, progress=told)
except KeyboardInterrupt:
    print("interrupted", os.listdir())
"""
    child = subprocess.Popen([fresh.python, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    while int(child.stdout.readline()) == 0:
        pass
    if how == "keyboard":
        child.send_signal(signal.SIGINT)
    assert child.communicate(timeout=60)[0].splitlines()[-1] == "interrupted []"
    assert child.returncode == 0


def test_ctrl_c_while_the_network_is_silent(fresh, hub, tmp_path):
    from hub_server import Fault
    hub.faults.append(Fault(".safetensors", times=100, pause=60))
    code = f"""
import os, signal, hf2mlx
signal.signal(signal.SIGINT, signal.default_int_handler)
print("begins", flush=True)
try:
    hf2mlx.convert({MODEL!r}, "out")
except KeyboardInterrupt:
    print("interrupted", os.listdir())
"""
    child = subprocess.Popen([fresh.python, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "begins\n"
    while not hub.requests("storage", ".safetensors"):
        time.sleep(0.01)
    begin = time.monotonic()
    child.send_signal(signal.SIGINT)
    assert child.communicate(timeout=60)[0] == "interrupted []\n"
    assert time.monotonic() - begin < 5


def test_other_threads_run_meanwhile_and_can_end_it(hf2mlx, slow_model):
    token, counted, errors = hf2mlx.CancelToken(), [], []
    begun = threading.Event()

    def work():
        try:
            hf2mlx.convert(slow_model, "out", quantize=True, cancel=token, progress=lambda what, done, total: done and begun.set())
        except hf2mlx.Cancelled as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    assert begun.wait(60)
    for _ in range(20):
        counted.append(time.monotonic())
        time.sleep(0.001)
    assert thread.is_alive() and not token.cancelled
    token.cancel()
    thread.join(60)
    assert token.cancelled and errors[0].code == "cancelled" and counted[-1] > counted[0]
    assert os.listdir() == []


def test_many_threads_at_once(hf2mlx):
    def work(number):
        reports[number] = hf2mlx.convert(SOURCE, f"out-{number}", quantize=True, q_bits=4 + number, threads=1,
                                         quant_predicate=lambda path, layer: "lm_head" not in path)

    reports = {}
    threads = [threading.Thread(target=work, args=[number]) for number in (0, 1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(reports) == [0, 1, 2]
    for number, report in reports.items():
        assert report.quantized_layers == 43 and Path(f"out-{number}/model.safetensors").stat().st_size > report.output_bytes


def test_bars_of_tqdm(hf2mlx, capfd, hub):
    pytest.importorskip("tqdm")
    hf2mlx.convert(MODEL, "out", progress=True)
    shown = capfd.readouterr().err
    assert "converting" in shown and "100%" in shown


def test_without_tqdm_a_word(fresh, tmp_path):
    code = f"import hf2mlx; hf2mlx.convert({str(SOURCE)!r}, 'out', progress=True)"
    done = subprocess.run([fresh.python, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and "pip install tqdm" in done.stderr and (tmp_path / "out").exists()


def test_silence_otherwise(hf2mlx, capfd):
    hf2mlx.convert(SOURCE, "out", quantize=True)
    assert capfd.readouterr() == ("", "")
