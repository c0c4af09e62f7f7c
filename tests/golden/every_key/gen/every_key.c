/* Adapters and tables of Every key. Written by ryuso-gen, anew whenever the spec changes: change the spec, not this. */
#include <errno.h>
#include <stddef.h>

#include <json-c/json.h>

#include <ryuso/module.h>

#include "every_key.h"

/* every_key.depot.pack */

struct depot_pack_outputs {
	ryuso_run *run;
};

int depot_pack_set_label(struct depot_pack_outputs *out, const char *value)
{
	return ryuso_module_set_string(out->run, 0, value);
}

int depot_pack_set_size(struct depot_pack_outputs *out, struct json_object *value)
{
	return ryuso_module_set_json(out->run, 1, value);
}

int depot_pack_set_count(struct depot_pack_outputs *out, int64_t value)
{
	return ryuso_module_set_int(out->run, 2, value);
}

int depot_pack_set_volume(struct depot_pack_outputs *out, double value)
{
	return ryuso_module_set_float(out->run, 3, value);
}

int depot_pack_set_fragile(struct depot_pack_outputs *out, bool value)
{
	return ryuso_module_set_bool(out->run, 4, value);
}

static int ryuso_fetch_depot_pack(const ryuso_run *run, struct depot_pack_args *args)
{
	int r;

	r = ryuso_module_arg_string(run, 0, &args->parcel);
	if (r <= 0)
		return r < 0 ? r : -ENODATA;
	r = ryuso_module_arg_float(run, 1, &args->weight);
	if (r <= 0)
		return r < 0 ? r : -ENODATA;
	r = ryuso_module_arg_json(run, 2, &args->tags);
	if (r <= 0)
		return r < 0 ? r : -ENODATA;
	r = ryuso_module_arg_bool(run, 3, &args->express);
	if (r <= 0)
		return r < 0 ? r : -ENODATA;
	r = ryuso_module_arg_string(run, 4, &args->_ticket);
	if (r < 0)
		return r;
	return 0;
}

static ryuso_status ryuso_call_depot_pack(ryuso_run *run)
{
	struct depot_pack_args args = { 0 };
	struct depot_pack_outputs out = { run };
	ryuso_status status;
	int r;

	r = ryuso_fetch_depot_pack(run, &args);
	status = r < 0 ? ryuso_module_no_args(run, r) : depot_pack(run, &args, &out);
	json_object_put(args.tags);
	return status;
}

/* every_key.depot.unpack */

static int ryuso_fetch_depot_unpack(const ryuso_run *run, struct depot_unpack_args *args)
{
	int r;

	r = ryuso_module_arg_string(run, 0, &args->label);
	if (r < 0)
		return r;
	return 0;
}

static ryuso_status ryuso_call_depot_unpack(ryuso_run *run)
{
	struct depot_unpack_args args = { 0 };
	ryuso_status status;
	int r;

	r = ryuso_fetch_depot_unpack(run, &args);
	status = r < 0 ? ryuso_module_no_args(run, r) : depot_unpack(run, &args);
	return status;
}

/* every_key.office.papers.insure */

struct office_papers_insure_outputs {
	ryuso_run *run;
};

int office_papers_insure_set_route(struct office_papers_insure_outputs *out, struct json_object *value)
{
	return ryuso_module_set_json(out->run, 0, value);
}

static ryuso_status ryuso_call_office_papers_insure(ryuso_run *run)
{
	struct office_papers_insure_args args = { 0 };
	struct office_papers_insure_outputs out = { run };

	return office_papers_insure(run, &args, &out);
}

/* every_key.depot.shelf.reserve */

static int ryuso_fetch_depot_shelf_reserve(const ryuso_run *run, struct depot_shelf_reserve_args *args)
{
	int r;

	r = ryuso_module_arg_string(run, 0, &args->shelf);
	if (r <= 0)
		return r < 0 ? r : -ENODATA;
	r = ryuso_module_arg_int(run, 1, &args->number);
	if (r <= 0)
		return r < 0 ? r : -ENODATA;
	r = ryuso_module_arg_json(run, 2, &args->linux_);
	if (r < 0)
		return r;
	return 0;
}

static ryuso_status ryuso_call_depot_shelf_reserve(ryuso_run *run)
{
	struct depot_shelf_reserve_args args = { 0 };
	ryuso_status status;
	int r;

	r = ryuso_fetch_depot_shelf_reserve(run, &args);
	status = r < 0 ? ryuso_module_no_args(run, r) : depot_shelf_reserve(run, &args);
	json_object_put(args.linux_);
	return status;
}

/* every_key.office.send */

static int ryuso_fetch_office_send(const ryuso_run *run, struct office_send_args *args)
{
	int r;

	r = ryuso_module_arg_string(run, 0, &args->label);
	if (r <= 0)
		return r < 0 ? r : -ENODATA;
	return 0;
}

static ryuso_status ryuso_call_office_send(ryuso_run *run)
{
	struct office_send_args args = { 0 };
	ryuso_status status;
	int r;

	r = ryuso_fetch_office_send(run, &args);
	status = r < 0 ? ryuso_module_no_args(run, r) : office_send(run, &args);
	return status;
}

static const struct ryuso_module_function ryuso_functions[] = {
	{ "every_key.depot.pack", ryuso_call_depot_pack, 5, 5 },
	{ "every_key.depot.unpack", ryuso_call_depot_unpack, 1, 0 },
	{ "every_key.office.papers.insure", ryuso_call_office_papers_insure, 0, 1 },
	{ "every_key.depot.shelf.reserve", ryuso_call_depot_shelf_reserve, 3, 0 },
	{ "every_key.office.send", ryuso_call_office_send, 1, 0 },
};

/* programs.ship: number of the call, step, function, hook */
static const struct ryuso_module_step ryuso_steps_0[] = {
	{ 1, 1, 0, "pack" },
	{ 2, 2, 3, "reserve_again" },
	{ 3, 3, 2, "insure" },
	{ 6, 4, 3, "reserve" },
	{ 9, 6, 4, "send" },
	{ 11, 1, 1, "unpack" },
	{ 13, 5, 3, "reserve" },
};

/* programs.book: number of the call, step, function, hook */
static const struct ryuso_module_step ryuso_steps_1[] = {
	{ 1, 1, 3, "reserve" },
};

static const struct ryuso_module_program ryuso_programs[] = {
	{ "ship",
	  { 0xc5, 0x2a, 0x9a, 0xe8, 0x9e, 0x13, 0xcc, 0xc0, 0x0a, 0x25, 0x32, 0xcf, 0x9f, 0xf6, 0xc1, 0xc3 },
	  7,
	  ryuso_steps_0 },
	{ "book",
	  { 0x3d, 0x62, 0xd4, 0xa4, 0x1d, 0xcf, 0x10, 0x8a, 0x76, 0x00, 0xb3, 0x8c, 0x0b, 0x66, 0x21, 0xf3 },
	  1,
	  ryuso_steps_1 },
};

static const char ryuso_spec[] =
	"{\n"
	"    \"version\": \"0.9 \\\"beta\\\" \?\?/\",\n"
	"    \"name\": \"Every key\",\n"
	"    \"x-owner\": \"nobody in particular\",\n"
	"    \"programs\": {\n"
	"        \"ship\": {\n"
	"            \"description\": \"Ends a comment */ and begins /* one, 100% of it, with a \\\\ and"
	" \?\?/ in it.\\nUmlauts: \303\244\303\266\303\274, and a very long line that has to be wrapped somewhere, since"
	" nobody likes to read beyond the edge of the paper.\",\n"
	"            \"args\": {\n"
	"                \"parcel\": {\"type\": \"string\", \"required\": true, \"secret\": true, \"descriptio"
	"n\": \"What is in it.\"},\n"
	"                \"weight\": {\"type\": \"float\", \"required\": false, \"default\": 1},\n"
	"                \"tags\": {\"type\": \"list\", \"required\": false, \"default\": [\"a\", \"b\"]},\n"
	"                \"express\": {\"type\": \"bool\", \"required\": false}\n"
	"            },\n"
	"            \"outputs\": {\n"
	"                \"label\": {\"type\": \"string\", \"required\": true},\n"
	"                \"route\": {\"type\": \"list\", \"required\": false}\n"
	"            },\n"
	"            \"hooks\": [\"hooks.pack\", \"hooks.insure\", \"hooks.book_twice\", \"hooks.send\"],\n"
	"            \"timeout\": 60,\n"
	"            \"allow\": {\"users\": [\"root\"], \"groups\": [\"ryuso\"]},\n"
	"            \"durability\": \"process\",\n"
	"            \"probe\": \"ls -l /tmp\",\n"
	"            \"x-note\": {\"anything\": true}\n"
	"        },\n"
	"        \"book\": {\n"
	"            \"args\": {\n"
	"                \"shelf\": {\"type\": \"string\", \"required\": true}\n"
	"            },\n"
	"            \"outputs\": {},\n"
	"            \"hooks\": [\"hooks.reserve\"],\n"
	"            \"durability\": \"disk\"\n"
	"        }\n"
	"    },\n"
	"    \"hooks\": {\n"
	"        \"pack\": {\n"
	"            \"description\": \"Packs.\",\n"
	"            \"reference\": \"every_key.depot.pack\",\n"
	"            \"args\": {\n"
	"                \"parcel\": {\"type\": \"string\", \"required\": true, \"secret\": true},\n"
	"                \"weight\": {\"type\": \"float\", \"required\": true, \"description\": \"In kilograms"
	"; \\\"*/\\\" too.\"},\n"
	"                \"tags\": {\"type\": \"list\", \"required\": false, \"default\": []},\n"
	"                \"express\": {\"type\": \"bool\", \"required\": false, \"default\": false},\n"
	"                \"_ticket\": {\"type\": \"string\", \"required\": false, \"description\": \"From the "
	"request's metadata.\"}\n"
	"            },\n"
	"            \"outputs\": {\n"
	"                \"label\": {\"type\": \"string\", \"required\": true, \"description\": \"What is stuc"
	"k on it.\"},\n"
	"                \"size\": {\"type\": \"dict\", \"required\": false},\n"
	"                \"count\": {\"type\": \"int\", \"required\": false},\n"
	"                \"volume\": {\"type\": \"float\", \"required\": false, \"secret\": true},\n"
	"                \"fragile\": {\"type\": \"bool\", \"required\": false}\n"
	"            },\n"
	"            \"rectifiers\": [\"hooks.unpack\"],\n"
	"            \"retry\": {\"attempts\": 3, \"backoff\": 0.1, \"max_backoff\": 5},\n"
	"            \"idempotent\": true,\n"
	"            \"timeout\": 2.5\n"
	"        },\n"
	"        \"unpack\": {\n"
	"            \"reference\": \"every_key.depot.unpack\",\n"
	"            \"args\": {\n"
	"                \"label\": {\"type\": \"string\", \"required\": false}\n"
	"            },\n"
	"            \"outputs\": {},\n"
	"            \"retry\": {\"attempts\": 9}\n"
	"        },\n"
	"        \"insure\": {\n"
	"            \"reference\": \"every_key.office.papers.insure\",\n"
	"            \"args\": {},\n"
	"            \"outputs\": {\n"
	"                \"route\": {\"type\": \"list\", \"required\": false}\n"
	"            },\n"
	"            \"dependencies\": [\"hooks.reserve_again\"]\n"
	"        },\n"
	"        \"reserve\": {\n"
	"            \"description\": \"Serves two hooks.\",\n"
	"            \"reference\": \"every_key.depot.shelf.reserve\",\n"
	"            \"args\": {\n"
	"                \"shelf\": {\"type\": \"string\", \"required\": true},\n"
	"                \"number\": {\"type\": \"int\", \"required\": false, \"default\": -7},\n"
	"                \"linux_\": {\"type\": \"dict\", \"required\": false}\n"
	"            },\n"
	"            \"outputs\": {}\n"
	"        },\n"
	"        \"reserve_again\": {\n"
	"            \"reference\": \"every_key.depot.shelf.reserve\",\n"
	"            \"args\": {\n"
	"                \"shelf\": {\"type\": \"string\", \"required\": true},\n"
	"                \"number\": {\"type\": \"int\", \"required\": false, \"default\": -7},\n"
	"                \"linux_\": {\"type\": \"dict\", \"required\": false}\n"
	"            },\n"
	"            \"outputs\": {},\n"
	"            \"bind\": {\"shelf\": \"label\"}\n"
	"        },\n"
	"        \"book_twice\": {\n"
	"            \"reference\": \"programs.book\",\n"
	"            \"args\": {\n"
	"                \"shelf\": {\"type\": \"string\", \"required\": false, \"default\": \"A1\"}\n"
	"            },\n"
	"            \"bind\": {\"shelf\": \"place\"},\n"
	"            \"rectifiers\": [\"programs.book\"]\n"
	"        },\n"
	"        \"send\": {\n"
	"            \"reference\": \"every_key.office.send\",\n"
	"            \"args\": {\n"
	"                \"label\": {\"type\": \"string\", \"required\": true}\n"
	"            },\n"
	"            \"outputs\": {},\n"
	"            \"irreversible\": true\n"
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
	.name = "every_key",
	.version = "0.9 \"beta\" \?\?/",
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
