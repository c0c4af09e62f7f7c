/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/prometheus.h"

#include <string.h>

#include "tests/check_main.h"

static void check_written(const char *metrics, const char *expected)
{
	_cleanup_json_ struct json_object *json = NULL;
	_cleanup_buffer_ Buffer text = {};
	_cleanup_free_ char *found = NULL;
	JsonError fault;

	ck_assert_int_eq(json_parse(metrics, strlen(metrics), JSON_DEPTH_MAX, &json, &fault), 0);
	prometheus_write(json, &text);
	found = buffer_take_text(&text);
	ck_assert_str_eq(found, expected);
}

START_TEST(a_family_is_its_help_its_type_and_its_samples)
{
	check_written(
		"[{\"name\":\"ryuso_runs_total\",\"type\":\"counter\",\"help\":\"Runs that have ended.\",\"samples\":["
		"{\"labels\":{\"program\":\"transfer\",\"outcome\":\"succeeded\"},\"value\":12},"
		"{\"labels\":{\"program\":\"transfer\",\"outcome\":\"rectified\"},\"value\":0.25}]},"
		"{\"name\":\"ryuso_queue_length\",\"type\":\"gauge\",\"help\":\"Waiting.\",\"samples\":["
		"{\"labels\":{},\"value\":3}]}]",
		"# HELP ryuso_runs_total Runs that have ended.\n"
		"# TYPE ryuso_runs_total counter\n"
		"ryuso_runs_total{program=\"transfer\",outcome=\"succeeded\"} 12\n"
		"ryuso_runs_total{program=\"transfer\",outcome=\"rectified\"} 0.25\n"
		"# HELP ryuso_queue_length Waiting.\n"
		"# TYPE ryuso_queue_length gauge\n"
		"ryuso_queue_length 3\n");
}
END_TEST

START_TEST(what_would_end_a_value_or_a_line_is_escaped)
{
	check_written("[{\"name\":\"n\",\"type\":\"gauge\",\"help\":\"a \\\\ b\\nc \\\"d\\\"\",\"samples\":["
		      "{\"labels\":{\"l\":\"a\\\\b\\\"c\\nd\\u001be é\"},\"value\":1}]}]",
		      "# HELP n a \\\\ b\\nc \"d\"\n# TYPE n gauge\nn{l=\"a\\\\b\\\"c\\nd?e é\"} 1\n");
}
END_TEST

START_TEST(a_name_has_no_other_characters_than_a_name_may_have)
{
	check_written("[{\"name\":\"a:b-c d\",\"type\":\"gauge\",\"samples\":[{\"labels\":{\"1:x\":7},\"value\":1}]}]",
		      "# TYPE a:b_c_d gauge\na:b_c_d{__x=\"7\"} 1\n");
}
END_TEST

START_TEST(large_and_small_numbers_are_kept)
{
	check_written("[{\"name\":\"n\",\"type\":\"counter\",\"samples\":[{\"value\":9223372036854775807},"
		      "{\"value\":1e-09},{\"value\":-5}]}]",
		      "# TYPE n counter\nn 9223372036854775807\nn 1e-09\nn -5\n");
}
END_TEST

START_TEST(what_is_no_metric_is_left_out)
{
	check_written("[5,{},{\"name\":\"\"},{\"name\":\"n\",\"samples\":[{},{\"value\":\"5\"},{\"value\":null},7]}]",
		      "# TYPE n untyped\n");
	check_written("{}", "");
}
END_TEST

CHECK_MAIN(prometheus, a_family_is_its_help_its_type_and_its_samples, what_would_end_a_value_or_a_line_is_escaped,
	   a_name_has_no_other_characters_than_a_name_may_have, large_and_small_numbers_are_kept,
	   what_is_no_metric_is_left_out)
