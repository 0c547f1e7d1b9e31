"""Whatever a label holds, a page shows it as text."""

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from infra.xnat.web.markup import element


class Seen(HTMLParser):
    def __init__(self, markup):
        super().__init__(convert_charrefs=True)
        self.tags, self.text, self.attributes = [], "", {}
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes |= dict(attrs)

    def handle_data(self, data):
        self.text += data


any_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0")) | st.just("<script>\"'&amp;")


@given(any_text, any_text)
def test_texts_and_attributes_come_out_as_they_went_in(text, attribute):
    seen = Seen(element("p", text, title=attribute))
    assert (seen.tags, seen.text, seen.attributes["title"]) == (["p"], text, attribute)


def test_markup_is_nested_unescaped_and_flags_have_no_value():
    made = element("p", element("input", name="a", required=True, hidden=False), class_="x", aria_label="y")
    assert made == '<p class="x" aria-label="y"><input name="a" required></p>'
