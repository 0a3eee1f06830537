"""Without the keys of config.json that its modules require mlx_lm loads no model: we ask for the same keys, or write them."""
import copy
import dataclasses
import subprocess

import casefile
import oracle
from conftest import run_program
from mlx_lm.utils import _get_classes


# What a base leaves to families of its own that do without.
SHARED = {"glm4_moe": ("n_group", "topk_group"), "bailing_moe": ("norm_topk_prob",), "bailing_moe_linear": ("norm_topk_prob",),
          "longcat_flash": ("attention_bias", "attention_method", "zero_expert_type"), "ernie4_5": ("head_dim",)}
# Tells where the rest is, and is built of defaults without it.
NOT_ASKED = ("model_type", "text_config")


def builds(config):
    """Whether mlx_lm can make its model; its weights do not matter."""
    try:
        model_class, args_class = _get_classes(config)
        model_class(args_class.from_dict(config))
    except Exception:
        return False
    return True


def written_config(folder, config):
    """The config that we write, or None where we refuse."""
    (folder / "config.json").write_text(oracle.json.dumps(config))
    target = folder.with_suffix(".mlx")
    try:
        run_program("convert", folder, target, "--force")
    except subprocess.CalledProcessError as error:
        assert error.returncode not in (70, -6, -8, -11), error.stderr
        return None
    return oracle.json.loads((target / "config.json").read_text())


def first_cases():
    """One case for each module: the shortest of its names that mlx_lm converts."""
    seen = set()
    for path in sorted(casefile.CASES.glob("*.json"), key=lambda path: (len(path.stem), path.stem)):
        case = casefile.load(path)
        if "plain" not in case.get("configs", {}):
            continue
        try:
            model_class, args_class = _get_classes(copy.deepcopy(case["config"]))
        except SystemExit:  # OLMo's module needs a package that is not installed
            continue
        if model_class.__module__ not in seen:
            seen.add(model_class.__module__)
            yield path.stem, case, args_class


def required(args_class):
    return [f.name for f in dataclasses.fields(args_class) if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING]


def test_keys_that_mlx_lm_requires_are_asked_for(tmp_path):
    asked, wrong = 0, []
    for name, case, args_class in first_cases():
        folder = tmp_path / name
        folder.mkdir()
        oracle.materialize(case, folder)
        for key in required(args_class):
            config = copy.deepcopy(case["config"])
            if key in (*NOT_ASKED, *SHARED.get(name, ())) or config.pop(key, None) is None:
                continue
            asked += 1
            ours, theirs = written_config(folder, config), builds(copy.deepcopy(config))
            if theirs != (ours is not None) and not (ours and key in ours):  # some are filled in
                wrong.append(f"{name} without {key}: {'we' if ours else 'mlx_lm'} can do without")
    assert "\n".join(wrong) == ""
    assert asked > 500
