/* Adapters and tables of My transaction processing. Written by ryuso-gen, anew whenever the spec changes: change the spec, not this. */
#include <errno.h>
#include <stddef.h>

#include <json-c/json.h>

#include <ryuso/module.h>

#include "my_transaction_processing.h"

/* my_transaction_processing.util.math.is_prime */

static int ryuso_fetch_util_math_is_prime(const ryuso_run *run, struct util_math_is_prime_args *args)
{
	int r;

	r = ryuso_module_arg_int(run, 0, &args->amount);
	if (r <= 0)
		return r < 0 ? r : -ENODATA;
	return 0;
}

static ryuso_status ryuso_call_util_math_is_prime(ryuso_run *run)
{
	struct util_math_is_prime_args args = { 0 };
	ryuso_status status;
	int r;

	r = ryuso_fetch_util_math_is_prime(run, &args);
	status = r < 0 ? ryuso_module_no_args(run, r) : util_math_is_prime(run, &args);
	return status;
}

/* my_transaction_processing.util.directory.prepare */

static ryuso_status ryuso_call_util_directory_prepare(ryuso_run *run)
{
	struct util_directory_prepare_args args = { 0 };

	return util_directory_prepare(run, &args);
}

/* my_transaction_processing.balance.commit */

struct balance_commit_values {
	bool generate;
	double rate;
};

static int ryuso_fetch_balance_commit(const ryuso_run *run, struct balance_commit_args *args,
				  struct balance_commit_values *values)
{
	int r;

	r = ryuso_module_arg_int(run, 0, &args->amount);
	if (r <= 0)
		return r < 0 ? r : -ENODATA;
	r = ryuso_module_arg_bool(run, 1, &values->generate);
	if (r < 0)
		return r;
	args->generate = r > 0 ? &values->generate : NULL;
	r = ryuso_module_arg_string(run, 2, &args->note);
	if (r < 0)
		return r;
	r = ryuso_module_arg_float(run, 3, &values->rate);
	if (r < 0)
		return r;
	args->rate = r > 0 ? &values->rate : NULL;
	r = ryuso_module_arg_json(run, 4, &args->parts);
	if (r < 0)
		return r;
	r = ryuso_module_arg_json(run, 5, &args->more);
	if (r < 0)
		return r;
	return 0;
}

static ryuso_status ryuso_call_balance_commit(ryuso_run *run)
{
	struct balance_commit_args args = { 0 };
	struct balance_commit_values values = { 0 };
	ryuso_status status;
	int r;

	r = ryuso_fetch_balance_commit(run, &args, &values);
	status = r < 0 ? ryuso_module_no_args(run, r) : balance_commit(run, &args);
	json_object_put(args.parts);
	json_object_put(args.more);
	return status;
}

/* my_transaction_processing.balance.undo */

static int ryuso_fetch_balance_undo(const ryuso_run *run, struct balance_undo_args *args)
{
	int r;

	r = ryuso_module_arg_int(run, 0, &args->amount);
	if (r <= 0)
		return r < 0 ? r : -ENODATA;
	return 0;
}

static ryuso_status ryuso_call_balance_undo(ryuso_run *run)
{
	struct balance_undo_args args = { 0 };
	ryuso_status status;
	int r;

	r = ryuso_fetch_balance_undo(run, &args);
	status = r < 0 ? ryuso_module_no_args(run, r) : balance_undo(run, &args);
	return status;
}

/* my_transaction_processing.balance.unwrap */

static ryuso_status ryuso_call_balance_unwrap(ryuso_run *run)
{
	struct balance_unwrap_args args = { 0 };

	return balance_unwrap(run, &args);
}

static const struct ryuso_module_function ryuso_functions[] = {
	{ "my_transaction_processing.util.math.is_prime", ryuso_call_util_math_is_prime, 1, 0 },
	{ "my_transaction_processing.util.directory.prepare", ryuso_call_util_directory_prepare, 0, 0 },
	{ "my_transaction_processing.balance.commit", ryuso_call_balance_commit, 6, 0 },
	{ "my_transaction_processing.balance.undo", ryuso_call_balance_undo, 1, 0 },
	{ "my_transaction_processing.balance.unwrap", ryuso_call_balance_unwrap, 0, 0 },
};

/* programs.make_deposit: number of the call, step, function, hook */
static const struct ryuso_module_step ryuso_steps_0[] = {
	{ 1, 1, 0, "check_balance" },
	{ 2, 2, 0, "check_balance" },
	{ 3, 3, 1, "prep_working_dir" },
	{ 4, 4, 2, "commit_balance" },
	{ 6, 4, 3, "undo_commit_balance" },
	{ 7, 4, 4, "unwrap_tx_data" },
};

/* programs.pay: number of the call, step, function, hook */
static const struct ryuso_module_step ryuso_steps_1[] = {
	{ 1, 1, 0, "check_balance" },
	{ 3, 2, 0, "check_balance" },
	{ 4, 3, 0, "check_balance" },
	{ 5, 4, 1, "prep_working_dir" },
	{ 6, 5, 2, "commit_balance" },
	{ 9, 5, 3, "undo_commit_balance" },
	{ 10, 5, 4, "unwrap_tx_data" },
};

static const struct ryuso_module_program ryuso_programs[] = {
	{ "make_deposit",
	  { 0xbe, 0x81, 0x54, 0xfb, 0x8e, 0x85, 0x54, 0x4c, 0x05, 0x85, 0xc7, 0xd1, 0x51, 0xc8, 0xea, 0x5f },
	  6,
	  ryuso_steps_0 },
	{ "pay",
	  { 0x34, 0xf4, 0x92, 0x18, 0xca, 0xa1, 0x5c, 0x2f, 0x43, 0x27, 0xf9, 0xcd, 0x32, 0x64, 0x97, 0x7e },
	  7,
	  ryuso_steps_1 },
};

static const char ryuso_spec[] =
	"{\n"
	"    \"version\": \"1.2.3\",\n"
	"    \"name\": \"My transaction processing\",\n"
	"    \"programs\": {\n"
	"        \"make_deposit\": {\n"
	"            \"description\": \"Will commit a transaction and optionally generates currency wh"
	"en the generate flag is set\",\n"
	"            \"args\": {\n"
	"                \"amount\": {\"type\": \"int\", \"description\": \"A description of the variable an"
	"d what it is for.\", \"required\": true},\n"
	"                \"generate\": {\"type\": \"bool\", \"description\": \"Tells the TX clearer to run\","
	" \"required\": false}\n"
	"            },\n"
	"            \"outputs\": {\n"
	"                \"balance\": {\"type\": \"int\", \"required\": false}\n"
	"            },\n"
	"            \"hooks\": [\"hooks.check_balance\", \"hooks.commit_balance\"]\n"
	"        },\n"
	"        \"pay\": {\n"
	"            \"description\": \"Two programs in a row.\",\n"
	"            \"args\": {\n"
	"                \"amount\": {\"type\": \"int\", \"required\": true}\n"
	"            },\n"
	"            \"outputs\": {},\n"
	"            \"hooks\": [\"hooks.check_balance\", \"programs.make_deposit\"]\n"
	"        }\n"
	"    },\n"
	"    \"hooks\": {\n"
	"        \"check_balance\": {\n"
	"            \"reference\": \"my_transaction_processing.util.math.is_prime\",\n"
	"            \"args\": {\n"
	"                \"amount\": {\"type\": \"int\", \"required\": true}\n"
	"            },\n"
	"            \"description\": \"Checks whether the user's balance is > 5 and fails otherwise\"\n"
	"        },\n"
	"        \"prep_working_dir\": {\n"
	"            \"reference\": \"my_transaction_processing.util.directory.prepare\",\n"
	"            \"args\": {}\n"
	"        },\n"
	"        \"commit_balance\": {\n"
	"            \"reference\": \"my_transaction_processing.balance.commit\",\n"
	"            \"args\": {\n"
	"                \"amount\": {\"type\": \"int\", \"required\": true},\n"
	"                \"generate\": {\"type\": \"bool\", \"required\": false},\n"
	"                \"note\": {\"type\": \"string\", \"required\": false},\n"
	"                \"rate\": {\"type\": \"float\", \"required\": false},\n"
	"                \"parts\": {\"type\": \"list\", \"required\": false},\n"
	"                \"more\": {\"type\": \"dict\", \"required\": false}\n"
	"            },\n"
	"            \"dependencies\": [\"hooks.check_balance\", \"hooks.prep_working_dir\"],\n"
	"            \"rectifiers\": [\"hooks.undo_commit_balance\", \"hooks.unwrap_tx_data\"]\n"
	"        },\n"
	"        \"undo_commit_balance\": {\n"
	"            \"reference\": \"my_transaction_processing.balance.undo\",\n"
	"            \"args\": {\n"
	"                \"amount\": {\"type\": \"int\", \"required\": true}\n"
	"            }\n"
	"        },\n"
	"        \"unwrap_tx_data\": {\n"
	"            \"reference\": \"my_transaction_processing.balance.unwrap\",\n"
	"            \"args\": {}\n"
	"        }\n"
	"    }\n"
	"}\n"
	"";

/* The author may define these; where not, they are NULL. */
__attribute__((weak, visibility("hidden"))) int ryuso_module_open(char *message, size_t message_size);
__attribute__((weak, visibility("hidden"))) void ryuso_module_close(void);

__attribute__((visibility("default"))) extern const struct ryuso_module ryuso_module;

const struct ryuso_module ryuso_module = {
	.header = {
		.magic = { 'R', 'Y', 'U', 'S', 'O', 'M', 'O', 'D' },
		.abi_major = RYUSO_MODULE_MAJOR,
		.abi_minor = RYUSO_MODULE_MINOR,
		.module_size = sizeof(struct ryuso_module),
		.function_size = sizeof(struct ryuso_module_function),
		.program_size = sizeof(struct ryuso_module_program),
		.step_size = sizeof(struct ryuso_module_step),
	},
	.name = "my_transaction_processing",
	.version = "1.2.3",
	.generator = "ryuso-gen @VERSION@",
	.spec = ryuso_spec,
	.spec_size = sizeof(ryuso_spec) - 1,
	.functions = ryuso_functions,
	.n_functions = 5,
	.n_programs = 2,
	.programs = ryuso_programs,
	.open = ryuso_module_open,
	.close = ryuso_module_close,
};
