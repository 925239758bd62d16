"""The words of a text: without links, mentions, hashtags, numbers and stop words; CJK text is segmented.

Chinese is segmented by rjieba, Japanese by Sudachi, Korean by MeCab, of which particles and endings are dropped and
verbs get their dictionary form. Stop words are those of the Stopwords ISO collection. Other scripts without spaces
(Thai, Lao, Khmer, Burmese) are not segmented: their texts give no words.
"""

from collections.abc import Iterator
from functools import cache
from typing import Protocol

import regex

LONGEST = 40  # characters of a word
_NO_WORDS = regex.compile(
    r"""
    https?://\S+ | www\.\S+
    | [#\uff03][\p{L}\p{M}\p{N}_]+           # hashtags
    | [@\uff20][\p{L}\p{M}\p{N}_.@-]+        # mentions, with instance
    | [\p{L}\p{N}_%+-]+(?:[.@][\p{L}\p{N}_-]+)+(?:/\S*)?  # e-mail addresses, links without a scheme
    """,
    regex.VERBOSE,
)
_CJK = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\u30fc\u3005"
_RUN = regex.compile(
    rf"(?P<cjk>[{_CJK}]+)|(?P<word>[[\p{{L}}\p{{M}}]--[{_CJK}]]+(?:['\u2019][[\p{{L}}\p{{M}}]--[{_CJK}]]+)*)", regex.V1
)
_KANA = regex.compile(r"[\p{Hiragana}\p{Katakana}]")
_HANGUL = regex.compile(r"\p{Hangul}")
_HAN = regex.compile(r"\p{Han}")
_UNSEGMENTED = regex.compile(r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")
_JAPANESE = frozenset(("名詞", "動詞", "形容詞", "形状詞", "副詞"))  # nouns, verbs, adjectives, adverbs
_JAPANESE_SKIPPED = frozenset(("数詞", "非自立可能", "助動詞語幹"))  # numerals, auxiliaries
_KOREAN = frozenset(("NNG", "NNP", "XR", "SL"))  # nouns, roots
_KOREAN_VERBS = frozenset(("VV", "VA"))


class _Segmenter(Protocol):
    def __call__(self, run: str, /) -> Iterator[str]: ...


def words_of(text: str, language: str | None) -> frozenset[str]:
    """The words of a text in lower case, each once. `language` is a primary subtag, None where it is unknown."""
    cleaned = _NO_WORDS.sub(" ", text)
    stop = stop_words(language_of(cleaned, language))
    words = (word.lower() for word in _words(cleaned, language))
    return frozenset(word for word in words if _counts(word) and word not in stop)


def language_of(text: str, language: str | None) -> str:
    """The language to count a text under: its own, else that of its script, else `und` (undetermined)."""
    if language:
        return language
    if _KANA.search(text):
        return "ja"
    if _HANGUL.search(text):
        return "ko"
    return "zh" if _HAN.search(text) else "und"


@cache
def stop_words(language: str) -> frozenset[str]:
    """The stop words of a language, none for one that the collection lacks."""
    import stopwordsiso

    return frozenset(stopwordsiso.stopwords(language)) if stopwordsiso.has_lang(language) else frozenset()


def _words(text: str, language: str | None) -> Iterator[str]:
    japanese = language == "ja" or (language != "zh" and _KANA.search(text) is not None)
    for match in _RUN.finditer(text):
        if word := match["word"]:
            yield word.replace("\u2019", "'")
        elif _HANGUL.search(match["cjk"]):
            yield from _korean()(match["cjk"])
        elif japanese:
            yield from _japanese()(match["cjk"])
        else:
            yield from _chinese()(match["cjk"])


def _counts(word: str) -> bool:
    """Whether a word says something: two characters or more, or one Han character; no text without spaces."""
    if len(word) > LONGEST or _UNSEGMENTED.search(word):
        return False
    return len(word) > 1 or _HAN.search(word) is not None


@cache
def _chinese() -> _Segmenter:
    import rjieba

    return lambda run: iter(rjieba.cut(run))


@cache
def _japanese() -> _Segmenter:
    from sudachipy import Dictionary, SplitMode

    tokenizer = Dictionary(dict="small").tokenizer(SplitMode.C)

    def segments(run: str, /) -> Iterator[str]:
        for morpheme in tokenizer.tokenize(run):
            kind, detail, more = morpheme.part_of_speech()[:3]
            if kind in _JAPANESE and not {detail, more} & _JAPANESE_SKIPPED:
                yield morpheme.dictionary_form()

    return segments


@cache
def _korean() -> _Segmenter:
    from mecab_ko import Tagger

    tagger = Tagger()

    def segments(run: str, /) -> Iterator[str]:
        for line in tagger.parse(run).splitlines():
            surface, _, features = line.partition("\t")
            kinds = features.split(",")[0].split("+")
            if kinds[0] in _KOREAN:
                yield surface
            elif kinds == [kinds[0]] and kinds[0] in _KOREAN_VERBS:
                yield f"{surface}다"

    return segments
