/* The hooks of Every key. Written by ryuso-gen, anew whenever the spec changes: change the spec, not this. */
#ifndef RYUSO_GEN_EVERY_KEY_H
#define RYUSO_GEN_EVERY_KEY_H

#include <ryuso/hook.h>

#ifdef __cplusplus
extern "C" {
#endif

/* every_key.depot.pack */

struct depot_pack_args {
	/** Secret: not to be logged. */
	const char *parcel;
	/** In kilograms; "* /" too. */
	double weight;
	/** A list. Default: []. */
	struct json_object *tags;
	/** Default: false. */
	bool express;
	/** From the request's metadata. Optional: NULL where it is absent. */
	const char *_ticket;
};

/** Where depot_pack() puts its outputs. Setters copy; they return 0 or a negative errno. */
struct depot_pack_outputs;
/** What is stuck on it. */
int depot_pack_set_label(struct depot_pack_outputs *out, const char *value);
/** A dict. Optional: may be left unset. */
int depot_pack_set_size(struct depot_pack_outputs *out, struct json_object *value);
/** Optional: may be left unset. */
int depot_pack_set_count(struct depot_pack_outputs *out, int64_t value);
/** Secret: not to be logged. Optional: may be left unset. */
int depot_pack_set_volume(struct depot_pack_outputs *out, double value);
/** Optional: may be left unset. */
int depot_pack_set_fragile(struct depot_pack_outputs *out, bool value);

/** Hook pack: Packs. */
ryuso_status depot_pack(ryuso_run *run, const struct depot_pack_args *args,
			struct depot_pack_outputs *out);

/* every_key.depot.unpack */

struct depot_unpack_args {
	/** Optional: NULL where it is absent. */
	const char *label;
};

/** Hook unpack. */
ryuso_status depot_unpack(ryuso_run *run, const struct depot_unpack_args *args);

/* every_key.office.papers.insure */

struct office_papers_insure_args {
	char none; /* it declares no arguments, and C knows no empty structure */
};

/** Where office_papers_insure() puts its outputs. Setters copy; they return 0 or a negative errno. */
struct office_papers_insure_outputs;
/** A list. Optional: may be left unset. */
int office_papers_insure_set_route(struct office_papers_insure_outputs *out, struct json_object *value);

/** Hook insure. */
ryuso_status office_papers_insure(ryuso_run *run, const struct office_papers_insure_args *args,
				  struct office_papers_insure_outputs *out);

/* every_key.depot.shelf.reserve */

struct depot_shelf_reserve_args {
	const char *shelf;
	/** Default: -7. */
	int64_t number;
	/** A dict. Optional: NULL where it is absent. */
	struct json_object *linux_;
};

/** Hook reserve, reserve_again: Serves two hooks. */
ryuso_status depot_shelf_reserve(ryuso_run *run, const struct depot_shelf_reserve_args *args);

/* every_key.office.send */

struct office_send_args {
	const char *label;
};

/** Hook send. */
ryuso_status office_send(ryuso_run *run, const struct office_send_args *args);

#ifdef __cplusplus
}
#endif

#endif
