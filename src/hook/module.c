/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ryuso/module.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include <json-c/json.h>

#include "hook/current.h"

/* The host has checked the type: what differs here was changed between the two, and is refused. */
static int argument(const ryuso_run *run, unsigned arg, enum ryuso_value_type type, struct ryuso_value *ret)
{
	struct ryuso_value value;
	int r;

	if (!hook_current(run))
		return -EPERM;
	r = run->calls->argument(run->host, arg, &value);
	if (r <= 0)
		return r;
	if (type == RYUSO_VALUE_FLOAT && value.type == RYUSO_VALUE_INT)
		value = (struct ryuso_value){ .type = RYUSO_VALUE_FLOAT, .real = (double)value.integer };
	if (type != RYUSO_VALUE_NONE && value.type != type)
		return -EINVAL;
	*ret = value;
	return 1;
}

int ryuso_module_arg_int(const ryuso_run *run, unsigned arg, int64_t *ret)
{
	struct ryuso_value value;
	int r = argument(run, arg, RYUSO_VALUE_INT, &value);

	if (r > 0)
		*ret = value.integer;
	return r;
}

int ryuso_module_arg_float(const ryuso_run *run, unsigned arg, double *ret)
{
	struct ryuso_value value;
	int r = argument(run, arg, RYUSO_VALUE_FLOAT, &value);

	if (r > 0)
		*ret = value.real;
	return r;
}

int ryuso_module_arg_bool(const ryuso_run *run, unsigned arg, bool *ret)
{
	struct ryuso_value value;
	int r = argument(run, arg, RYUSO_VALUE_BOOL, &value);

	if (r > 0)
		*ret = value.boolean;
	return r;
}

int ryuso_module_arg_string(const ryuso_run *run, unsigned arg, const char **ret)
{
	struct ryuso_value value;
	int r = argument(run, arg, RYUSO_VALUE_STRING, &value);

	if (r > 0)
		*ret = value.string;
	return r;
}

int ryuso_module_arg_json(const ryuso_run *run, unsigned arg, struct json_object **ret)
{
	struct json_object *copy = NULL;
	struct ryuso_value value;
	int r = argument(run, arg, RYUSO_VALUE_NONE, &value);

	if (r <= 0)
		return r;
	if (value.type != RYUSO_VALUE_LIST && value.type != RYUSO_VALUE_DICT)
		return -EINVAL;
	if (json_object_deep_copy(value.json, &copy, NULL) < 0)
		return -ENOMEM;
	*ret = copy;
	return 1;
}

ryuso_status ryuso_module_no_args(ryuso_run *run, int error)
{
	return ryuso_fail(run, "NoArguments", "the arguments could not be handed over (%s); the hook was not called",
			  strerror(error < 0 ? -error : error));
}

static int set(ryuso_run *run, unsigned output, const struct ryuso_value *value)
{
	if (!hook_current(run))
		return -EPERM;
	return run->calls->set_output(run->host, output, value);
}

int ryuso_module_set_int(ryuso_run *run, unsigned output, int64_t value)
{
	return set(run, output, &(struct ryuso_value){ .type = RYUSO_VALUE_INT, .integer = value });
}

int ryuso_module_set_float(ryuso_run *run, unsigned output, double value)
{
	if (!isfinite(value))
		return hook_current(run) ? -EINVAL : -EPERM;
	return set(run, output, &(struct ryuso_value){ .type = RYUSO_VALUE_FLOAT, .real = value });
}

int ryuso_module_set_bool(ryuso_run *run, unsigned output, bool value)
{
	return set(run, output, &(struct ryuso_value){ .type = RYUSO_VALUE_BOOL, .boolean = value });
}

int ryuso_module_set_string(ryuso_run *run, unsigned output, const char *value)
{
	if (!value || !hook_utf8(value))
		return hook_current(run) ? -EINVAL : -EPERM;
	return set(run, output, &(struct ryuso_value){ .type = RYUSO_VALUE_STRING, .string = value });
}

int ryuso_module_set_json(ryuso_run *run, unsigned output, struct json_object *value)
{
	enum ryuso_value_type type = RYUSO_VALUE_NONE;

	if (json_object_is_type(value, json_type_array))
		type = RYUSO_VALUE_LIST;
	else if (json_object_is_type(value, json_type_object))
		type = RYUSO_VALUE_DICT;
	if (type == RYUSO_VALUE_NONE)
		return hook_current(run) ? -EINVAL : -EPERM;
	return set(run, output, &(struct ryuso_value){ .type = type, .json = value });
}
