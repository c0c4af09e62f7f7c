/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/view.h"

#define TYPE_BIT(type) ((uint8_t)(1U << (type)))
#define TYPES_ALL ((uint8_t)((1U << VALUE_TYPE_MAX) - TYPE_BIT(VALUE_STRING)))

static uint8_t types_fitting(const SpecArg *arg)
{
	uint8_t types = 0;

	for (ValueType type = VALUE_STRING; type < VALUE_TYPE_MAX; type++)
		if (value_type_fits(arg->type, type))
			types |= TYPE_BIT(type);
	return types;
}

bool view_provides(const ViewKey *key, const SpecArg *arg)
{
	return (key->types & types_fitting(arg)) != 0;
}

ViewVerdict view_judge(const ViewKey *key, const SpecArg *arg)
{
	bool fits_always = (key->types & ~types_fitting(arg)) == 0;

	if (!arg->required || arg->has_default)
		return key->sure && !view_provides(key, arg) ? VIEW_NEVER : VIEW_FINE;
	if (!view_provides(key, arg))
		return VIEW_NEVER;
	if (key->any)
		return VIEW_FINE;
	return key->sure && fits_always ? VIEW_FINE : VIEW_SOME;
}

void view_pass(ViewKey *key, const SpecArg *arg)
{
	uint8_t fitting = types_fitting(arg);

	key->types &= fitting;
	if (!arg->required || arg->has_default)
		return;
	if (key->types == 0)
		key->types = fitting;
	key->sure = true;
	key->any = false;
}

void view_default(ViewKey *key, const SpecArg *arg)
{
	if (!key->sure)
		key->types |= TYPE_BIT(arg->fallback.type);
	key->sure = true;
	key->any = false;
}

void view_write(ViewKey *key, const SpecArg *output)
{
	if (output->required)
		*key = (ViewKey){ .types = types_fitting(output), .sure = true };
	else
		key->types |= types_fitting(output);
}

void view_write_any(ViewKey *keys, const Plan *plan)
{
	for (uint32_t i = 0; i < plan->n_keys; i++)
		if (*plan->keys[i] != '_')
			keys[i] = (ViewKey){ .types = TYPES_ALL, .sure = keys[i].sure, .any = true };
}

void view_begin(ViewKey *keys, const Plan *plan)
{
	const PlanOp *enter = &plan->ops[0];

	for (uint32_t i = 0; i < plan->n_keys; i++)
		keys[i] = (ViewKey){ .types = *plan->keys[i] == '_' ? TYPES_ALL : 0 };
	for (size_t i = 0; i < enter->n_args; i++)
		keys[enter->args[i].key] = (ViewKey){
			.types = types_fitting(enter->args[i].arg),
			.sure = enter->args[i].arg->required && !enter->args[i].arg->has_default,
		};
}

void view_types(const ViewKey *key, Buffer *buffer)
{
	const char *separator = "";

	for (ValueType type = VALUE_STRING; type < VALUE_TYPE_MAX; type++)
		if (key->types & TYPE_BIT(type)) {
			buffer_format(buffer, "%s%s", separator, value_type_name(type));
			separator = ", ";
		}
}
