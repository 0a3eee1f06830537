"""The examples of docs/api-python.md: what they show is what comes out."""
import doctest
import re
import sys

from conftest import ROOT

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.S | re.M)


def test_examples_of_the_page(hf2mlx, hub):
    text = "\n".join(BLOCK.findall((ROOT / "docs" / "api-python.md").read_text()))
    examples = doctest.DocTestParser().get_doctest(text, {}, "api-python.md", None, 0)
    assert len(examples.examples) > 20
    failures, _ = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.REPORT_NDIFF).run(examples, out=sys.stdout.write)
    assert failures == 0
