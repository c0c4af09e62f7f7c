/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can be said of a parked run without anything being done to it. */
#include <errno.h>

#include "daemon/members.h"
#include "daemon/parking_private.h"
#include "daemon/stored_reply.h"
#include "tell/account.h"

struct json_object *parking_describe_module(Parking *parking, const Id *identity, const char *build_id)
{
	_cleanup_free_ char *problem = NULL;
	const Catalog *current = parking->crew->catalog;
	const Catalog *catalog = crew_catalog(parking->crew, identity, &problem);
	Members members;

	members_begin(&members);
	members_text_or_null(&members, "name", catalog ? catalog->spec->module : NULL);
	members_text_or_null(&members, "build_id", catalog ? catalog->build_id : build_id);
	members_id(&members, "identity", identity);
	members_bool(&members, "current", current && id_equal(&current->identity, identity));
	members_bool(&members, "available", catalog && crew_has_module(parking->crew, identity));
	return members_end(&members);
}

/* Adds what \p tree has under \p name; null where it has nothing. */
static int add_from(struct json_object *object, const char *name, struct json_object *tree)
{
	struct json_object *value = stored_member(tree, name);

	if (json_object_object_add(object, name, json_object_get(value)) == 0)
		return 0;
	json_object_put(value);
	return -ENOMEM;
}

static int add_list(struct json_object *object, const char *name)
{
	struct json_object *list = json_object_new_array();

	if (list && json_object_object_add(object, name, list) == 0)
		return 0;
	json_object_put(list);
	return -ENOMEM;
}

/* Without a plan it is not known what is secret, nor what comes next. */
static int describe_blindly(struct json_object *object, struct json_object *reply)
{
	static const char *const names[] = { "error", "parked", "rectified", "remaining" };
	int r = 0;

	for (size_t i = 0; i < ELEMENTSOF(names) && r >= 0; i++)
		r = add_from(object, names[i], reply);
	if (r >= 0)
		r = add_list(object, "steps");
	if (r >= 0)
		r = add_list(object, "next");
	return r;
}

/* Without any that is a promise's, or of durability `process`, there may be none. */
static int add_metadata(struct json_object *object, const RecordStart *start)
{
	RecordRequest request;
	struct json_object *metadata = NULL;
	JsonError error;
	int r;

	if (start->request_size == 0 || record_decode_request(start->request, start->request_size, &request) < 0 ||
	    request.metadata_size == 0)
		return 0;
	r = json_parse(request.metadata, request.metadata_size, JSON_DEPTH_MAX, &metadata, &error);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	if (json_object_object_add(object, "metadata", metadata) == 0)
		return 0;
	json_object_put(metadata);
	return -ENOMEM;
}

/* The stored reply has the last word on what keeps it parked: its records may be older than that. */
static int describe_fully(struct json_object *object, Replay *replay, const RecordStart *start,
			  struct json_object *reply)
{
	int r;

	r = add_metadata(object, start);
	if (r >= 0)
		r = account_add(object, replay, start);
	if (r >= 0 && stored_member(reply, "parked"))
		r = add_from(object, "parked", reply);
	return r < 0 ? r : add_from(object, "rectified", reply);
}

static int describe(const Parking *parking, const ParkedRun *run, struct json_object *object)
{
	_cleanup_json_ struct json_object *reply = parked_run_reply(run);
	_cleanup_replay_ Replay replay = { 0 };
	const Catalog *catalog = parked_run_catalog(parking, run, 0);
	RecordStart start;
	int r;

	if (!catalog || parked_run_start(run, &start) < 0)
		return describe_blindly(object, reply);
	r = parked_run_replay(run, catalog, &replay);
	if (r == -ENOENT || r == -EBADMSG)
		return describe_blindly(object, reply);
	return r < 0 ? r : describe_fully(object, &replay, &start, reply);
}

int parking_describe(Parking *parking, const Id *id, struct json_object *object, Error *error)
{
	_cleanup_parked_run_ ParkedRun run = { 0 };
	int r;

	r = parked_run_load(parking, id, &run);
	if (r == -ENOENT || r == -ESTALE)
		return error_set(error, ERROR_WRONG_STATE, NULL, "the run is being written down as parked; ask again");
	if (r == -EUCLEAN)
		return error_set(error, ERROR_STORE_DAMAGED, NULL, "what the ledger holds of the run is damaged");
	return r < 0 ? r : describe(parking, &run, object);
}
