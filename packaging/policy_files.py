"""Write what is made from the table of policies: the JSON Schema, the table in the docs, the template for Windows.

With `--check` nothing is written: files that are not as they would be are named, and the exit code is 1.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from policy_template import adml, admx  # noqa: E402

from sync.policy_keys import schema, table  # noqa: E402

TABLE = re.compile(r"(?<=<!-- table of keys -->\n).*?(?=<!-- end of the table -->)", re.DOTALL)


def files() -> dict[Path, str]:
    """Return what each file is to be."""
    page = ROOT / "docs" / "it" / "policies.md"
    folder = ROOT / "packaging" / "windows" / "policy"
    return {
        ROOT / "docs" / "it" / "policies.schema.json": json.dumps(schema(), indent=2, ensure_ascii=False) + "\n",
        page: TABLE.sub(lambda _old: "\n" + table() + "\n", page.read_text("utf-8")),
        folder / "hubshelf.admx": admx(),
        folder / "en-US" / "hubshelf.adml": adml(),
    }


def main() -> int:
    """Write them, or compare them, and return the exit code."""
    only_check = "--check" in sys.argv
    found = files()
    old = [path for path, text in found.items() if not path.exists() or path.read_text("utf-8") != text]
    for path in old:
        if not only_check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(found[path], encoding="utf-8")
        print(path.relative_to(ROOT))
    return 1 if old and only_check else 0


if __name__ == "__main__":
    sys.exit(main())
