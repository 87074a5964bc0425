import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluelamp.formats.checkpoint import Checkpoint, CheckpointError

# A checkpoint of Go's checksum database, as its documentation shows it.
PUBLISHED = "go.sum database tree\n15368405\nkn9DgqDhXzoZMM8828SQsbuovrSY/o1KBJfJHjVDPNc=\n"


def test_a_published_checkpoint_is_read_and_written_back():
    checkpoint = Checkpoint.parse(PUBLISHED)
    assert (checkpoint.origin, checkpoint.size, len(checkpoint.root)) == ("go.sum database tree", 15368405, 32)
    assert checkpoint.text() == PUBLISHED


def test_extension_lines_are_kept_since_they_are_signed():
    assert Checkpoint.parse(PUBLISHED + "extension 1\n").text() == PUBLISHED + "extension 1\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n\n",
        PUBLISHED[:-1],
        PUBLISHED.replace("go.sum database tree", ""),
        PUBLISHED.replace("15368405", "015368405"),
        PUBLISHED.replace("15368405", "-1"),
        PUBLISHED.replace("15368405", "١٢"),
        PUBLISHED.replace("15368405", "9" * 19),
        PUBLISHED.replace("15368405", "9" * 30),
        PUBLISHED.replace("PNc=", "PNd="),
        PUBLISHED.replace("PNc=", "PN=="),
        PUBLISHED.replace("kn9", "k\u20ac9"),
        PUBLISHED + "\n",
    ],
)
def test_what_is_not_a_checkpoint_is_refused(text):
    with pytest.raises(CheckpointError):
        Checkpoint.parse(text)


@given(st.text())
def test_any_text_at_all_is_a_checkpoint_or_raises_checkpoint_error(text):
    try:
        assert Checkpoint.parse(text).text() == text
    except CheckpointError:
        pass


def test_a_root_of_the_wrong_length_is_refused():
    with pytest.raises(CheckpointError, match="32"):
        Checkpoint("origin", 1, b"short")
