"""A bucket keeps what every store promises: the same tests as for the others, against a real S3 service."""

import pytest

from tests.vault.test_stores import (  # noqa: F401  pytest collects them here too, with this folder's `store`
    test_a_failed_put_leaves_what_was_there_before,
    test_a_file_is_put_and_stays,
    test_a_folder_is_not_an_object,
    test_a_listing_cannot_reach_outside,
    test_a_listing_keeps_to_whole_parts_of_names,
    test_a_moved_file_is_put_and_gone,
    test_a_name_that_could_do_harm_is_refused_everywhere,
    test_a_negative_range_is_a_mistake,
    test_a_put_whose_source_fails_leaves_nothing,
    test_a_range_past_the_end_is_short_or_empty,
    test_a_second_put_replaces_the_first_whole,
    test_an_empty_object_exists,
    test_deleting_twice_is_no_error,
    test_pieces_may_be_any_kind_of_bytes,
    test_what_is_not_there_is_said_to_be_missing,
    test_what_remains_of_a_name_is_the_object_and_what_lies_below_it,
    test_what_was_put_comes_back_whole_and_in_ranges,
)

pytestmark = pytest.mark.s3
