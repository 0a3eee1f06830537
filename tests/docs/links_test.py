#!/usr/bin/env python3
"""No document has a link that leads nowhere; and the check that says so sees each kind of mistake."""
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import check_links  # noqa: E402

GOOD = """# First part, and `code`

[here](#first-part-and-code) [there](other.md) [part](other.md#some-part) [site](https://example.org/a?b=c#d) <https://example.org>
[by name][Name] and https://example.org/x. `[code](nowhere.md)`

[name]: other.md

```
[in a block](nowhere.md) http://localhost
```
"""
MISTAKES = {
    "[a](nowhere.md)": "leads nowhere",
    "[a](#nothing)": "no heading for #nothing",
    "[a](other.md#nothing)": "no heading for #nothing",
    "[a]()": "leads nowhere",
    "[a][b]": "defined nowhere",
    "[a]: nowhere.md": "leads nowhere",
    "[a](http://example.org)": "https expected",
    "[a](https:/example.org)": "no host",
    "[a](https://example)": "no host",
    "see https://exam ple.org": "no host",
    "<https://example.org/a b>": "characters",
    "![picture](nowhere.png)": "leads nowhere",
}


class Links(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.page = Path(scratch.name).resolve() / "page.md"
        self.page.with_name("other.md").write_text("# Other\n\n## Some *part*\n")

    def complaints(self, text):
        self.page.write_text(text)
        return check_links.complaints_about(self.page)

    def test_documents(self):
        pages = check_links.tracked_pages()
        self.assertGreater(len(pages), 20)
        self.assertEqual([f"{page.name}: {bad}" for page in pages for bad in check_links.complaints_about(page)], [])

    def test_what_is_right(self):
        self.assertEqual(self.complaints(GOOD), [])

    def test_mistakes(self):
        for text, complaint in MISTAKES.items():
            with self.subTest(text):
                found = self.complaints("# First\n\n" + text + "\n")
                self.assertEqual(len(found), 1, found)
                self.assertIn(complaint, found[0])

    def test_names_of_headings_at_both_places(self):
        self.assertEqual(check_links.at_github("Safetensors / `a_b`, c"), "safetensors--a_b-c")
        self.assertEqual(check_links.on_the_site("Safetensors / a_b, c"), "safetensors-a_b-c")
        self.assertEqual(check_links.numbered(["a", "a"], "-"), {"a", "a-1"})


if __name__ == "__main__":
    unittest.main()
