"""Licences as sources write them."""

from __future__ import annotations

import pytest

from hub.imports import licences


@pytest.mark.parametrize(
    ("said", "meant", "open_"),
    [
        ("CC BY 4.0", "CC-BY-4.0", True),
        ("cc-by-nc-sa-3.0", "CC-BY-NC-SA-3.0", True),
        ("CC BY-NC-ND 3.0 IGO", "CC-BY-NC-ND-3.0-IGO", True),
        ("http://creativecommons.org/licenses/by/4.0/", "CC-BY-4.0", True),
        ("https://creativecommons.org/licenses/by-sa/3.0/igo/legalcode", "CC-BY-SA-3.0-IGO", True),
        (
            "https://creativecommons.org/licenses/by/2.5/ca/",
            "https://creativecommons.org/licenses/by/2.5/ca/",
            True,
        ),
        ("https://creativecommons.org/licenses/by-nc/4.0/deed.fr", "CC-BY-NC-4.0", True),
        ("Creative Commons Attribution-NonCommercial-ShareAlike 4.0 International", "CC-BY-NC-SA-4.0", True),
        (
            "This work is licensed under a Creative Commons Attribution 4.0 International License.",
            "CC-BY-4.0",
            True,
        ),
        ("Attribution 4.0 International (CC BY 4.0)", "CC-BY-4.0", True),
        (
            "Creative Commons Paternité - Pas d'Utilisation Commerciale - Partage dans les mêmes conditions 4.0",
            "CC-BY-NC-SA-4.0",
            True,
        ),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0", True),
        ("CC0", "CC0-1.0", True),
        ("Public Domain Mark 1.0", "https://creativecommons.org/publicdomain/mark/1.0/", True),
        ("Open Government Licence v3.0", "OGL-UK-3.0", True),
        ("CC BY", "CC BY", True),
        (
            "http://rightsstatements.org/page/InC/1.0/?language=en",
            "http://rightsstatements.org/vocab/InC/1.0/",
            False,
        ),
        ("© UNESCO 2020. All rights reserved.", "© UNESCO 2020. All rights reserved.", False),
        ("info:eu-repo/semantics/openAccess", "info:eu-repo/semantics/openAccess", False),
        ("Mitra Foundation", "Mitra Foundation", False),
        ("CCE Finland, all rights reserved", "CCE Finland, all rights reserved", False),
        ("", "", False),
        ("cc" * 50_000, "cc" * 50_000, False),
    ],
)
def test_what_a_statement_means(said: str, meant: str, open_: bool) -> None:
    assert licences.normal(said) == meant
    assert licences.normal(meant) == meant
    assert licences.may_be_passed_on(said) is open_


def test_of_several_statements_the_one_that_says_most() -> None:
    assert licences.chosen(["© The author", "https://creativecommons.org/licenses/by/4.0/"]) == "CC-BY-4.0"
    assert licences.chosen(["© The author", "http://rightsstatements.org/vocab/InC/1.0/"]).endswith("/InC/1.0/")
    assert licences.chosen(["© The author", "on request"]) == "© The author"
    assert licences.chosen([]) == ""
