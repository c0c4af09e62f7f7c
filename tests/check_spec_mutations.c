/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A valid spec, changed at random, byte by byte and member by member: it loads, or what is wrong with it has a place. */
#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "spec/flow.h"
#include "spec/load.h"
#include "spec/plan.h"
#include "tests/check_main.h"
#include "tests/dice.h"

#define MUTATIONS 5000 /* of each sort */

static const char valid[] =
	"{\"name\": \"wallet\", \"version\": \"1.0\",\n"
	" \"programs\": {\n"
	"  \"withdraw\": {\"hooks\": [\"hooks.debit\"], \"timeout\": 5,\n"
	"   \"args\": {\"account\": {\"type\": \"string\", \"required\": true}, \"amount\": {\"type\": \"int\", \"required\": true}},\n"
	"   \"outputs\": {\"balance\": {\"type\": \"int\", \"required\": true}}},\n"
	"  \"deposit\": {\"hooks\": [\"hooks.credit\"], \"durability\": \"disk\",\n"
	"   \"args\": {\"account\": {\"type\": \"string\", \"required\": true}, \"amount\": {\"type\": \"int\", \"required\": true}},\n"
	"   \"outputs\": {}},\n"
	"  \"transfer\": {\"hooks\": [\"hooks.take\", \"hooks.give\", \"hooks.report\"],\n"
	"   \"args\": {\"from\": {\"type\": \"string\", \"required\": true}, \"to\": {\"type\": \"string\", \"required\": true,\n"
	"     \"secret\": true}, \"amount\": {\"type\": \"int\", \"required\": false, \"default\": 1}},\n"
	"   \"outputs\": {\"balance\": {\"type\": \"int\", \"required\": false}}, \"allow\": {\"users\": [\"root\"]}}},\n"
	" \"hooks\": {\n"
	"  \"check\": {\"reference\": \"wallet.ledger.check\", \"args\": {\"account\": {\"type\": \"string\", \"required\": true}},\n"
	"   \"outputs\": {}},\n"
	"  \"debit\": {\"reference\": \"wallet.ledger.post\", \"args\": {\"account\": {\"type\": \"string\", \"required\": true},\n"
	"    \"amount\": {\"type\": \"int\", \"required\": true}}, \"outputs\": {\"balance\": {\"type\": \"int\", \"required\": true}},\n"
	"   \"dependencies\": [\"hooks.check\"], \"rectifiers\": [\"hooks.credit\"], \"timeout\": 1.5},\n"
	"  \"credit\": {\"reference\": \"wallet.ledger.post\", \"args\": {\"account\": {\"type\": \"string\", \"required\": true},\n"
	"    \"amount\": {\"type\": \"int\", \"required\": true}}, \"outputs\": {\"balance\": {\"type\": \"int\", \"required\": true}},\n"
	"   \"rectifiers\": [\"hooks.debit\"], \"retry\": {\"attempts\": 3, \"backoff\": 0.1}, \"idempotent\": true},\n"
	"  \"take\": {\"reference\": \"programs.withdraw\", \"args\": {}, \"bind\": {\"account\": \"from\"}},\n"
	"  \"give\": {\"reference\": \"programs.deposit\", \"args\": {\"account\": {\"type\": \"string\", \"required\": true}},\n"
	"   \"bind\": {\"account\": \"to\"}},\n"
	"  \"report\": {\"reference\": \"wallet.mail.send\", \"args\": {}, \"irreversible\": true, \"x-note\": [1, {}]}}}";

/* What a whole spec is good for. */
static void use(const Spec *spec)
{
	for (size_t i = 0; i < spec->n_programs; i++) {
		_cleanup_plan_ Plan *plan = NULL;
		FlowFindings findings = { 0 };
		PlanError error = { 0 };
		uint8_t print[16];

		ck_assert_int_eq(plan_compile(spec, &spec->programs[i], &plan, &error), 0);
		ck_assert_int_eq(plan_fingerprint(plan, print), 0);
		ck_assert_int_eq(flow_check(plan, &findings), 0);
		for (size_t k = 0; k < findings.n; k++)
			ck_assert(findings.items[k].warning);
		flow_findings_done(&findings);
	}
}

static void expect_verdict(const char *text, size_t size)
{
	_cleanup_spec_issues_ SpecIssues issues = { 0 };
	_cleanup_spec_ Spec *spec = NULL;
	unsigned lines = 1;
	int r = spec_load(text, size, &spec, &issues);

	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	for (size_t i = 0; i < issues.n; i++) {
		ck_assert_uint_ge(issues.items[i].line, 1);
		ck_assert_uint_le(issues.items[i].line, lines);
		ck_assert_uint_ge(issues.items[i].column, 1);
		ck_assert_uint_le(issues.items[i].column, size + 1);
		ck_assert_uint_gt(strlen(issues.items[i].message), 0);
	}
	if (r == 0) {
		ck_assert_uint_eq(issues.n_errors, 0);
		use(spec);
		return;
	}
	ck_assert_msg(r == -EBADMSG && issues.n_errors > 0 && !spec, "%d, %zu errors: %.*s", r, issues.n_errors,
		      (int)size, text);
}

static void mutate_bytes(Dice *dice, Buffer *text)
{
	static const char likely[] = "{}[]\":,\\ \n0123456789.-eEtrufalsn_x/~";
	size_t at = dice_below(dice, text->size), end = at + dice_below(dice, text->size - at), to;

	switch (dice_below(dice, 6)) {
	case 0:
		text->data[at] = (uint8_t)dice_roll(dice);
		break;
	case 1:
		text->data[at] = (uint8_t)likely[dice_below(dice, sizeof(likely) - 1)];
		break;
	case 2:
		text->data[at] ^= (uint8_t)(1U << dice_below(dice, 8));
		break;
	case 3: /* a piece goes */
		end = MIN(end, at + 40);
		memmove(text->data + at, text->data + end, text->size - end);
		text->size -= end - at;
		break;
	case 4: /* a piece lands elsewhere */
		end = MIN(end, at + 60);
		to = dice_below(dice, text->size - (end - at) + 1);
		memmove(text->data + to, text->data + at, end - at);
		break;
	default:
		if (dice_below(dice, 8) == 0)
			text->size = at;
	}
}

START_TEST(bytes_changed_at_random_give_a_spec_or_located_errors)
{
	Dice dice = dice_take("bytes_changed_at_random_give_a_spec_or_located_errors");

	for (unsigned i = 0; i < MUTATIONS; i++) {
		_cleanup_buffer_ Buffer text = { 0 };
		char *copy;

		buffer_append(&text, valid, strlen(valid));
		for (size_t n = 1 + dice_below(&dice, 3); n > 0 && text.size > 0; n--)
			mutate_bytes(&dice, &text);
		copy = memcpy(malloc(MAX(text.size, 1U)), text.data, text.size); /* overruns are seen */
		expect_verdict(copy, text.size);
		free(copy);
	}
}
END_TEST

/* Some name or value out of the spec itself, or one that is likely to hurt. */
static struct json_object *any_value(Dice *dice)
{
	static const char *const values[] = {
		"null",
		"true",
		"0",
		"-1",
		"1e300",
		"9223372036854775807",
		"1.5",
		"\"\"",
		"[]",
		"{}",
		"[[]]",
		"\"int\"",
		"\"float\"",
		"\"hooks.debit\"",
		"\"hooks.credit\"",
		"\"hooks.take\"",
		"\"programs.transfer\"",
		"\"programs.deposit\"",
		"\"wallet.ledger.post\"",
		"\"wallet.a.b\"",
		"\"account\"",
		"\"_ticket\"",
		"\"to\"",
		"[\"hooks.give\"]",
		"[\"programs.withdraw\", \"hooks.report\"]",
		"{\"amount\": \"balance\"}",
		"{\"account\": \"_x\"}",
		"{\"a\": {\"type\": \"int\", \"required\": true}}",
		"{\"balance\": {\"type\": \"string\", \"required\": true}}",
		"{\"attempts\": 2}",
	};
	struct json_object *value = NULL;
	const char *text = values[dice_below(dice, ELEMENTSOF(values))];
	JsonError error;

	ck_assert_int_eq(json_parse(text, strlen(text), 8, &value, &error), 0);
	return value;
}

static const char *any_key(Dice *dice)
{
	static const char *const keys[] = { "name",        "hooks",        "programs", "args",       "outputs",
					    "type",        "required",     "default",  "reference",  "bind",
					    "rectifiers",  "dependencies", "retry",    "idempotent", "irreversible",
					    "timeout",     "allow",        "x-y",      "account",    "amount",
					    "_a",          "int",          "tpye",     "a b",        "durability",
					    "description", "secret",       "probe",    "version" };

	return keys[dice_below(dice, ELEMENTSOF(keys))];
}

static void mutate_object(Dice *dice, struct json_object *object, const char *key)
{
	_cleanup_free_ char *name = strdup(key); /* the object's own goes with the member */
	struct json_object *value = json_object_object_get(object, name);

	switch (dice_below(dice, 4)) {
	case 0:
		json_object_object_del(object, name);
		break;
	case 1:
		json_object_object_add(object, name, any_value(dice));
		break;
	case 2:
		json_object_object_add(object, any_key(dice), any_value(dice));
		break;
	default:
		json_object_get(value);
		json_object_object_del(object, name);
		json_object_object_add(object, any_key(dice), value);
	}
}

/* Goes down at random and changes something there. */
static void mutate_tree(Dice *dice, struct json_object *tree)
{
	size_t n, chosen, i = 0;

	if (json_object_is_type(tree, json_type_array)) {
		n = json_object_array_length(tree);
		json_object_array_put_idx(tree, dice_below(dice, n + 1), any_value(dice));
		return;
	}
	n = (size_t)json_object_object_length(tree);
	if (n == 0) {
		json_object_object_add(tree, any_key(dice), any_value(dice));
		return;
	}
	chosen = dice_below(dice, n);
	json_object_object_foreach(tree, key, member)
	{
		if (i++ < chosen)
			continue;
		if ((json_object_is_type(member, json_type_object) || json_object_is_type(member, json_type_array)) &&
		    dice_below(dice, 6) > 0)
			mutate_tree(dice, member);
		else
			mutate_object(dice, tree, key);
		return;
	}
}

START_TEST(members_changed_at_random_give_a_spec_or_located_errors)
{
	Dice dice = dice_take("members_changed_at_random_give_a_spec_or_located_errors");

	for (unsigned i = 0; i < MUTATIONS; i++) {
		_cleanup_json_ struct json_object *tree = NULL;
		_cleanup_buffer_ Buffer text = { 0 };
		JsonError error;

		ck_assert_int_eq(json_parse(valid, strlen(valid), 32, &tree, &error), 0);
		for (size_t n = 1 + dice_below(&dice, 3); n > 0; n--)
			mutate_tree(&dice, tree);
		json_write(tree, &text);
		expect_verdict((const char *)text.data, text.size);
	}
}
END_TEST

START_TEST(the_spec_that_is_changed_is_valid)
{
	_cleanup_spec_issues_ SpecIssues issues = { 0 };
	_cleanup_spec_ Spec *spec = NULL;

	ck_assert_int_eq(spec_load(valid, strlen(valid), &spec, &issues), 0);
	ck_assert_uint_eq(issues.n, 0);
}
END_TEST

CHECK_MAIN(spec_mutations, the_spec_that_is_changed_is_valid, bytes_changed_at_random_give_a_spec_or_located_errors,
	   members_changed_at_random_give_a_spec_or_located_errors)
