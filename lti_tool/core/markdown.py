"""Teachers' Markdown becomes HTML that is safe to show. Rendered once, when it is written.

The only module that may call HTML safe (ATK-86). Not for pupils' or a model's words: those are
shown as plain text.
"""

import re
from collections.abc import Sequence
from html import unescape

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup, escape

_HEADING = {"h1": "h3", "h2": "h4"}  # the page has h1 and h2 already
_TAGS = {
    *("p", "br", "hr", "h3", "h4", "h5", "blockquote", "ul", "ol", "li", "pre", "code"),
    *("strong", "em", "s", "a", "table", "thead", "tbody", "tr", "th", "td"),
}


def _alternative_text(
    self: RendererHTML, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
) -> str:
    """Instead of a picture its description: fetching it would tell its host who is reading."""
    return escape(self.renderInlineAsText(tokens[idx].children, options, env))


# $…$, $$…$$, \(…\) and \[…\] as in static/formulas.js; a price (5 $ und 10 $) is none of them.
_FORMULA = re.compile(
    r"\$\$[^$]+\$\$|\$[^\s$](?:[^$\n]*[^\s$])?\$(?!\d)"
    r"|\\\((?:[^\\\n]|\\[^()\n])+\\\)|\\\[(?:[^\\\n]|\\[^\[\]\n])+\\\]"
)


def _formula(state: StateInline, silent: bool) -> bool:
    """What is inside of a formula is TeX: no emphasis, no escapes. The browser sets it."""
    found = _FORMULA.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        state.push("text", "", 0).content = found[0]
    state.pos = found.end()
    return True


_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_MARKDOWN.inline.ruler.before("escape", "formula", _formula)
_MARKDOWN.add_render_rule("image", _alternative_text)
_ALLOWED = nh3.Cleaner(
    tags=_TAGS,
    attributes={"*": set(), "a": {"href"}, "ol": {"start"}},  # "*": nor the default `title`
    set_tag_attribute_values={"a": {"target": "_blank"}},
    link_rel="noopener noreferrer",
    url_schemes={"http", "https"},
    url_relative="deny",
)
_BETWEEN_CELLS = re.compile(r"</t[dh]>\s*<t[dh][^>]*>")
_WORDS_ONLY = nh3.Cleaner(tags=set(), attributes={})


def render(text: str) -> str:
    """HTML of `text`: no raw HTML, no pictures, no style, links to http(s) only, in a new tab."""
    tokens = _MARKDOWN.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = _HEADING.get(token.tag, "h5")
    return _ALLOWED.clean(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}))


def plain(text: str) -> str:
    """The words of `text` without its marks, one line per block: for models and for the LMS."""
    rows = _BETWEEN_CELLS.sub(" | ", _MARKDOWN.render(text))
    words = unescape(_WORDS_ONLY.clean(rows))
    return re.sub(r"[^\S\n]*\n\s*", "\n", words).strip()


def trusted(html: str) -> Markup:
    """Mark a stored outcome of `render` as safe for a template; nothing else may come in here."""
    return Markup(html)  # noqa: S704  # the one place: what comes in has been cleaned by `render`
