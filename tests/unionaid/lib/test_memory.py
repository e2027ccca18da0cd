"""The collector rests for a while and is left as it was found."""

import gc

import pytest

from unionaid.lib.memory import without_collector


def test_it_rests_inside_and_works_again_after_a_failure_too() -> None:
    with pytest.raises(RuntimeError), without_collector():
        assert not gc.isenabled()
        raise RuntimeError
    assert gc.isenabled()


def test_of_two_blocks_the_outer_one_decides() -> None:
    with without_collector():
        with without_collector():
            pass
        assert not gc.isenabled()
