/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/oracle.h"

#include <string.h>

#include "base/json.h"

static const char *const names[] = { "a", "b", "c", "d", "e", "f" };
#define N_NAMES ELEMENTSOF(names)

typedef struct Dice {
	uint64_t state;
} Dice;

/* splitmix64 (Steele, Lea, Flood 2014) */
static uint64_t roll(Dice *dice)
{
	uint64_t x = dice->state += 0x9e3779b97f4a7c15ULL;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static unsigned below(Dice *dice, unsigned n)
{
	return (unsigned)(roll(dice) % n);
}

static bool chance(Dice *dice, unsigned percent)
{
	return below(dice, 100) < percent;
}

static Dice dice_for(uint64_t seed, const char *purpose, uint32_t n)
{
	Dice dice = { .state = seed ^ ((uint64_t)n << 32) };

	for (; *purpose; purpose++)
		dice.state = roll(&dice) ^ (uint64_t)(unsigned char)*purpose;
	return dice;
}

/* Two values of each type, as JSON and as values. */
static const char *const samples[VALUE_TYPE_MAX][2] = {
	[VALUE_STRING] = { "\"s\"", "\"\"" }, [VALUE_INT] = { "1", "-7" },          [VALUE_FLOAT] = { "0.5", "2.25" },
	[VALUE_LIST] = { "[]", "[1,\"x\"]" }, [VALUE_DICT] = { "{}", "{\"k\":1}" }, [VALUE_BOOL] = { "true", "false" },
};

static const Value *sample(ValueType type, unsigned which)
{
	static Value values[VALUE_TYPE_MAX][2];
	Value *value = &values[type][which];
	_cleanup_json_ struct json_object *json = NULL;
	JsonError error;

	if (value->type != VALUE_NONE)
		return value;
	if (json_parse(samples[type][which], strlen(samples[type][which]), JSON_DEPTH_DEFAULT, &json, &error) < 0 ||
	    value_from_json(json, value) < 0)
		abort();
	return value;
}

static ValueType any_type(Dice *dice)
{
	return (ValueType)(VALUE_NONE + 1 + below(dice, VALUE_TYPE_MAX - 1));
}

/* The spec */

#define NODES_MAX 14

typedef struct Draft {
	Dice dice;
	Buffer text;
	unsigned n_nodes; /* node 0 is program p0; each leads only to later ones on the way forward */
	bool is_program[NODES_MAX];
	ValueType types[N_NAMES]; /* what most arguments and outputs of a name agree in */
	unsigned undeclared;      /* how often in a hundred a hook declares no outputs */
} Draft;

static void draft_reference(Draft *draft, unsigned node)
{
	buffer_format(&draft->text, "\"%s%u\"", draft->is_program[node] ? "programs.p" : "hooks.h", node);
}

/* References to nodes from \p first on. */
static void draft_references(Draft *draft, const char *key, unsigned first, unsigned min, unsigned max)
{
	unsigned n = first < draft->n_nodes ? min + below(&draft->dice, max - min + 1) : 0;

	buffer_format(&draft->text, "\"%s\":[", key);
	for (unsigned i = 0; i < n; i++) {
		if (i > 0)
			buffer_text(&draft->text, ",");
		draft_reference(draft, first + below(&draft->dice, draft->n_nodes - first));
	}
	buffer_text(&draft->text, "]");
}

static void draft_arg(Draft *draft, const char *name, ValueType type, bool with_default)
{
	bool required = chance(&draft->dice, 45);

	buffer_format(&draft->text, "\"%s\":{\"type\":\"%s\",\"required\":%s", name, value_type_name(type),
		      required ? "true" : "false");
	if (with_default && chance(&draft->dice, 30)) {
		ValueType of = type == VALUE_FLOAT && chance(&draft->dice, 50) ? VALUE_INT : type;

		buffer_format(&draft->text, ",\"default\":%s", samples[of][below(&draft->dice, 2)]);
	}
	buffer_text(&draft->text, "}");
}

/* Returns which names were declared, as bits. */
static unsigned draft_args(Draft *draft, const char *key, unsigned percent, bool inputs)
{
	unsigned declared = 0;

	buffer_format(&draft->text, ",\"%s\":{", key);
	for (unsigned i = 0; i < N_NAMES; i++) {
		if (!chance(&draft->dice, percent))
			continue;
		if (declared)
			buffer_text(&draft->text, ",");
		draft_arg(draft, names[i], chance(&draft->dice, 93) ? draft->types[i] : any_type(&draft->dice), inputs);
		declared |= 1U << i;
	}
	buffer_text(&draft->text, "}");
	return declared;
}

static void draft_bind(Draft *draft, unsigned allowed)
{
	unsigned n = 0;

	buffer_text(&draft->text, ",\"bind\":{");
	for (unsigned i = 0; i < N_NAMES; i++) {
		if (!(allowed & (1U << i)) || !chance(&draft->dice, 40))
			continue;
		buffer_format(&draft->text, "%s\"%s\":\"%s\"", n++ ? "," : "", names[i],
			      names[below(&draft->dice, N_NAMES)]);
	}
	buffer_text(&draft->text, "}");
}

static void draft_timeout(Draft *draft)
{
	if (chance(&draft->dice, 15))
		buffer_format(&draft->text, ",\"timeout\":%u", 1 + below(&draft->dice, 20));
}

static void draft_attempts(Draft *draft)
{
	if (chance(&draft->dice, 30)) {
		unsigned backoff = below(&draft->dice, 4);

		buffer_format(&draft->text, ",\"retry\":{\"attempts\":%u,\"backoff\":%u,\"max_backoff\":%u}",
			      1 + below(&draft->dice, 4), backoff, backoff + below(&draft->dice, 5));
	}
	if (chance(&draft->dice, 40))
		buffer_text(&draft->text, ",\"idempotent\":true");
}

static unsigned later_program(const Draft *draft, unsigned node)
{
	while (++node < draft->n_nodes)
		if (draft->is_program[node])
			return node;
	return 0;
}

static void draft_hook(Draft *draft, unsigned node)
{
	unsigned allowed, stands = chance(&draft->dice, 35) ? later_program(draft, node) : 0;

	buffer_format(&draft->text, "\"h%u\":{", node);
	if (stands)
		buffer_format(&draft->text, "\"reference\":\"programs.p%u\",", stands);
	else
		buffer_format(&draft->text, "\"reference\":\"m.f.h%u\",", node);
	draft_references(draft, "dependencies", node + 1, 0, chance(&draft->dice, 40) ? 2 : 0);
	buffer_text(&draft->text, ",");
	if (chance(&draft->dice, 55))
		draft_references(draft, "rectifiers", 0, 1, 3);
	else
		buffer_format(&draft->text, "\"irreversible\":%s", chance(&draft->dice, 15) ? "true" : "false");
	allowed = draft_args(draft, "args", 10, true);
	if (chance(&draft->dice, draft->undeclared))
		allowed = (1U << N_NAMES) - 1;
	else
		allowed |= draft_args(draft, "outputs", stands ? 10 : 30, false);
	if (chance(&draft->dice, 35))
		draft_bind(draft, allowed);
	draft_timeout(draft);
	if (!stands)
		draft_attempts(draft);
	buffer_text(&draft->text, "}");
}

static void draft_program(Draft *draft, unsigned node)
{
	buffer_format(&draft->text, "\"p%u\":{", node);
	draft_references(draft, "hooks", node + 1, node == 0 ? 2 : 0, node == 0 ? 7 : 3);
	draft_args(draft, "args", node == 0 ? 40 : 10, true);
	draft_args(draft, "outputs", node == 0 ? 30 : 10, false);
	draft_timeout(draft);
	buffer_text(&draft->text, "}");
}

static void draft_nodes(Draft *draft, bool programs, void (*write)(Draft *, unsigned))
{
	unsigned n = 0;

	for (unsigned node = 0; node < draft->n_nodes; node++) {
		if (draft->is_program[node] != programs)
			continue;
		if (n++ > 0)
			buffer_text(&draft->text, ",");
		write(draft, node);
	}
}

char *oracle_spec(uint64_t seed)
{
	Draft draft = { .dice = dice_for(seed, "spec", 0) };

	draft.n_nodes = 4 + below(&draft.dice, NODES_MAX - 3);
	draft.undeclared = chance(&draft.dice, 50) ? 80 : 30;
	for (unsigned node = 0; node < draft.n_nodes; node++)
		draft.is_program[node] = node == 0 || chance(&draft.dice, 25);
	for (unsigned i = 0; i < N_NAMES; i++)
		draft.types[i] = any_type(&draft.dice);
	buffer_text(&draft.text, "{\"name\":\"m\",\"programs\":{");
	draft_nodes(&draft, true, draft_program);
	buffer_text(&draft.text, "},\"hooks\":{");
	draft_nodes(&draft, false, draft_hook);
	buffer_text(&draft.text, "}}");
	return buffer_take_text(&draft.text);
}

/* The run */

static ValueType type_for(Dice *dice, ValueType wanted, unsigned wrong)
{
	if (chance(dice, wrong))
		return any_type(dice);
	return wanted == VALUE_FLOAT && chance(dice, 40) ? VALUE_INT : wanted;
}

size_t oracle_arguments(const Oracle *oracle, const SpecProgram *program, OracleWrite writes[static ORACLE_WRITES_MAX])
{
	Dice dice = dice_for(oracle->seed, "arguments", 0);
	unsigned wrong = chance(&dice, 3) ? 30 : 0;
	size_t n = 0;

	for (size_t i = 0; i < program->args.n; i++) {
		const SpecArg *arg = &program->args.items[i];
		bool needed = arg->required && !arg->has_default && !chance(&dice, wrong);

		if (needed || chance(&dice, 50))
			writes[n++] =
				(OracleWrite){ arg->name, sample(type_for(&dice, arg->type, wrong), below(&dice, 2)) };
	}
	if (chance(&dice, 20))
		writes[n++] = (OracleWrite){ "_ticket", sample(VALUE_STRING, 0) };
	return n;
}

static void write_outputs(Dice *dice, const SpecHook *hook, OracleOutcome *ret)
{
	unsigned careless = chance(dice, 8) ? 25 : 0;

	for (size_t i = 0; i < hook->outputs.n; i++) {
		const SpecArg *arg = &hook->outputs.items[i];

		if (chance(dice, arg->required ? 100 - careless : 60))
			ret->writes[ret->n_writes++] =
				(OracleWrite){ arg->name, sample(type_for(dice, arg->type, careless), below(dice, 2)) };
	}
}

/* What the spec takes a name for, mostly. */
static ValueType usual_type(const Spec *spec, Dice *dice, const char *name)
{
	for (size_t i = 0; i < spec->n_hooks && chance(dice, 97); i++) {
		const SpecArg *arg = spec_arg(&spec->hooks[i].args, name);

		if (arg)
			return arg->type;
	}
	return any_type(dice);
}

static void write_anything(const Spec *spec, Dice *dice, OracleOutcome *ret)
{
	unsigned n = below(dice, 4);

	while (ret->n_writes < n) {
		const char *name = chance(dice, 5) ? "beyond" : names[below(dice, N_NAMES)];

		ret->writes[ret->n_writes++] =
			(OracleWrite){ name, sample(usual_type(spec, dice, name), below(dice, 2)) };
	}
}

void oracle_outcome(const Oracle *oracle, uint32_t n, const SpecHook *hook, OracleOutcome *ret)
{
	static const ErrorCode unknowns[] = { ERROR_HOOK_UNKNOWN, ERROR_HOOK_UNKNOWN,    ERROR_HOOK_TIMEOUT,
					      ERROR_INTERRUPTED,  ERROR_PROGRAM_TIMEOUT, ERROR_CANCELLED };
	Dice mood = dice_for(oracle->seed, "mood", 0), dice = dice_for(oracle->seed, "outcome", n);
	unsigned trouble = below(&mood, 4) * 10 + 3;

	*ret = (OracleOutcome){ .kind = OUTCOME_OK, .usec = below(&dice, 3000000) };
	if (hook->outputs.declared)
		write_outputs(&dice, hook, ret);
	else
		write_anything(oracle->spec, &dice, ret);
	if (!chance(&dice, trouble))
		return;
	ret->kind = chance(&dice, 50) ? OUTCOME_FAILED : OUTCOME_UNKNOWN;
	ret->error = ret->kind == OUTCOME_FAILED ? ERROR_HOOK_FAILED : unknowns[below(&dice, ELEMENTSOF(unknowns))];
	ret->reason = chance(&dice, 50) ? "Because" : NULL;
	if (ret->error == ERROR_PROGRAM_TIMEOUT)
		ret->program = oracle->spec->programs[below(&dice, (unsigned)oracle->spec->n_programs)].name;
}

OracleStop oracle_stop(const Oracle *oracle, uint32_t n)
{
	static const ErrorCode causes[] = { ERROR_CANCELLED, ERROR_CANCELLED, ERROR_PROGRAM_TIMEOUT,
					    ERROR_INTERRUPTED };
	Dice dice = dice_for(oracle->seed, "stop", n);
	OracleStop stop = {};

	if (!chance(&dice, 5))
		return stop;
	stop.cause = causes[below(&dice, ELEMENTSOF(causes))];
	stop.moment = (OracleMoment)below(&dice, n > 0 ? 3 : 2);
	if (stop.cause == ERROR_PROGRAM_TIMEOUT)
		stop.program = oracle->spec->programs[below(&dice, (unsigned)oracle->spec->n_programs)].name;
	return stop;
}

OracleVerb oracle_verb(const Oracle *oracle, uint32_t n)
{
	Dice dice = dice_for(oracle->seed, "verb", n);

	return n < 5 ? (OracleVerb)below(&dice, 4) : VERB_NONE;
}
