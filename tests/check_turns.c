/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whose run is next: the queue, with runs of several users. */
#include "check_main.h"

#include <errno.h>

#include "daemon/queue.h"
#include "dice.h"

#define RUNS_MAX 64U
#define USERS_MAX 6U

static SpecProgram spec = { .name = (char *)"p" };
static const CatalogProgram program = { .spec = &spec };

static Run *make_run(uid_t uid)
{
	const Peer peer = { .uid = uid, .gid = 2, .pid = 3 };
	Run *run = NULL;

	ck_assert_int_eq(run_new(&program, &peer, &run), 0);
	return run;
}

/* As many runs as \p uids has digits, of the users of those numbers. */
static void push(Queue *queue, const char *uids)
{
	for (; *uids; uids++)
		queue_push(queue, make_run((uid_t)(*uids - '0')));
}

static Run *find_in(const Queue *queue, uid_t uid)
{
	Run *run;

	TAILQ_FOREACH(run, &queue->runs, entry)
	{
		if (run->peer.uid == uid)
			return run;
	}
	return NULL;
}

/* Whose runs leave, up to the end; and that it was known before. */
static void expect(Queue *queue, const char *uids)
{
	_cleanup_free_ Run **order = queue_order(queue);
	char found[RUNS_MAX + 1] = "";
	size_t n = 0;
	Run *run;

	while ((run = queue_pop(queue))) {
		ck_assert_ptr_eq(run, order[n]);
		found[n++] = (char)('0' + run->peer.uid);
		run_free(run);
	}
	ck_assert_str_eq(found, uids);
	ck_assert_uint_eq(queue->n, 0);
}

/* Takes \p n runs out, which are with a worker then. */
static void order(Queue *queue, struct RunList *ordered, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		Run *run = queue_pop(queue);

		ck_assert_ptr_nonnull(run);
		TAILQ_INSERT_TAIL(ordered, run, entry);
	}
}

START_TEST(users_take_turns_and_whoever_comes_late_waits_for_one_run_of_each_other)
{
	Queue queue;

	queue_init(&queue);
	push(&queue, "1111122");
	expect(&queue, "1212111");
	push(&queue, "1111");
	push(&queue, "2");
	push(&queue, "3");
	push(&queue, "2");
	expect(&queue, "1231211");
}
END_TEST

START_TEST(a_user_who_has_nothing_left_begins_anew_behind_the_others)
{
	struct RunList ordered = TAILQ_HEAD_INITIALIZER(ordered);
	Queue queue;

	queue_init(&queue);
	push(&queue, "1222");
	order(&queue, &ordered, 1);
	push(&queue, "1");
	queue_push(&queue, make_run(3));
	expect(&queue, "213"
		       "22");
	run_free(TAILQ_FIRST(&ordered));
}
END_TEST

START_TEST(users_of_one_bucket_are_kept_apart)
{
	const uid_t uids[] = { 1, 1 + TURNS_BUCKETS, 1 + 2 * TURNS_BUCKETS };
	Queue queue;

	queue_init(&queue);
	for (size_t i = 0; i < 6; i++)
		queue_push(&queue, make_run(uids[i / 2]));
	run_free(queue_take(&queue, find_in(&queue, uids[1])));
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(queue_first(&queue)->peer.uid, uids[i]);
		run_free(queue_pop(&queue));
	}
	ck_assert_uint_eq(queue_first(&queue)->peer.uid, uids[0]);
	queue_done(&queue);
}
END_TEST

START_TEST(what_a_worker_did_not_begin_comes_back_before_the_rest_and_its_users_first)
{
	struct RunList ordered = TAILQ_HEAD_INITIALIZER(ordered);
	Queue queue;

	queue_init(&queue);
	push(&queue, "112");
	order(&queue, &ordered, 3);
	push(&queue, "3312");
	queue_return(&queue, &ordered);
	expect(&queue, "1231231");
}
END_TEST

START_TEST(whose_run_has_begun_has_had_a_turn)
{
	struct RunList ordered = TAILQ_HEAD_INITIALIZER(ordered);
	Queue queue;
	Run *begun;

	queue_init(&queue);
	push(&queue, "11111");
	order(&queue, &ordered, 4);
	push(&queue, "2");
	begun = TAILQ_FIRST(&ordered);
	TAILQ_REMOVE(&ordered, begun, entry);
	queue_return(&queue, &ordered);
	queue_pass(&queue, begun->peer.uid);
	expect(&queue, "21111");
	run_free(begun);
}
END_TEST

START_TEST(what_an_operator_decided_about_comes_before_everybodys_turn)
{
	struct RunList list = TAILQ_HEAD_INITIALIZER(list);
	Queue queue;
	Run *run;

	queue_init(&queue);
	push(&queue, "12");
	run = make_run(2);
	run->taken_up = true;
	queue_push(&queue, run);
	for (size_t i = 0; i < 2; i++) {
		run = make_run(3 + (uid_t)i);
		run->taken_up = i == 0;
		TAILQ_INSERT_TAIL(&list, run, entry);
	}
	queue_return(&queue, &list);
	expect(&queue, "32412");
}
END_TEST

/* ---- against a model that is too simple to be wrong ---- */

typedef struct Naive {
	Run *runs[USERS_MAX][4 * RUNS_MAX]; /* of each user, in order */
	size_t n[USERS_MAX];
	uid_t turns[USERS_MAX]; /* users who have some, in order */
	size_t n_turns;
} Naive;

static size_t naive_seat(const Naive *naive, uid_t uid)
{
	size_t i = 0;

	while (i < naive->n_turns && naive->turns[i] != uid)
		i++;
	return i;
}

static void naive_leave(Naive *naive, uid_t uid)
{
	size_t seat = naive_seat(naive, uid);

	if (seat == naive->n_turns)
		return;
	naive->n_turns--;
	for (size_t i = seat; i < naive->n_turns; i++)
		naive->turns[i] = naive->turns[i + 1];
}

static void naive_come_first(Naive *naive, uid_t uid)
{
	naive_leave(naive, uid);
	for (size_t i = naive->n_turns++; i > 0; i--)
		naive->turns[i] = naive->turns[i - 1];
	naive->turns[0] = uid;
}

static void naive_come_last(Naive *naive, uid_t uid)
{
	naive_leave(naive, uid);
	if (naive->n[uid] > 0)
		naive->turns[naive->n_turns++] = uid;
}

static void naive_insert(Naive *naive, Run *run, size_t at)
{
	uid_t uid = run->peer.uid;

	for (size_t i = naive->n[uid]++; i > at; i--)
		naive->runs[uid][i] = naive->runs[uid][i - 1];
	naive->runs[uid][at] = run;
}

static void naive_remove(Naive *naive, const Run *run)
{
	uid_t uid = run->peer.uid;
	size_t at = 0;

	while (naive->runs[uid][at] != run)
		at++;
	naive->n[uid]--;
	for (size_t i = at; i < naive->n[uid]; i++)
		naive->runs[uid][i] = naive->runs[uid][i + 1];
	if (naive->n[uid] == 0)
		naive_leave(naive, uid);
}

typedef struct Game {
	Dice dice;
	Queue queue;
	Naive naive;
	struct RunList ordered;
	size_t n_ordered;
} Game;

static void game_push(Game *game)
{
	Run *run = make_run((uid_t)dice_below(&game->dice, USERS_MAX));
	uid_t uid = run->peer.uid;

	if (game->queue.n >= RUNS_MAX) {
		run_free(run);
		return;
	}
	queue_push(&game->queue, run);
	naive_insert(&game->naive, run, game->naive.n[uid]);
	if (naive_seat(&game->naive, uid) == game->naive.n_turns)
		naive_come_last(&game->naive, uid);
}

static void game_pop(Game *game)
{
	Naive *naive = &game->naive;
	Run *expected = naive->n_turns > 0 ? naive->runs[naive->turns[0]][0] : NULL;
	Run *run = queue_pop(&game->queue);

	ck_assert_ptr_eq(run, expected);
	if (!run)
		return;
	naive_remove(naive, run);
	naive_come_last(naive, run->peer.uid);
	TAILQ_INSERT_TAIL(&game->ordered, run, entry);
	game->n_ordered++;
}

static void game_end_first(Game *game)
{
	Run *run = TAILQ_FIRST(&game->ordered);

	if (!run)
		return;
	TAILQ_REMOVE(&game->ordered, run, entry);
	game->n_ordered--;
	run_free(run);
}

static void game_return(Game *game)
{
	Run *run;

	TAILQ_FOREACH_REVERSE(run, &game->ordered, RunList, entry)
	{
		naive_insert(&game->naive, run, 0);
		naive_come_first(&game->naive, run->peer.uid);
	}
	queue_return(&game->queue, &game->ordered);
	game->n_ordered = 0;
}

static void game_pass(Game *game)
{
	uid_t uid = (uid_t)dice_below(&game->dice, USERS_MAX);

	queue_pass(&game->queue, uid);
	naive_come_last(&game->naive, uid);
}

static void game_take(Game *game)
{
	size_t n = game->queue.n > 0 ? dice_below(&game->dice, game->queue.n) : 0;
	Run *run = TAILQ_FIRST(&game->queue.runs);

	for (; run && n > 0; n--)
		run = TAILQ_NEXT(run, entry);
	if (!run)
		return;
	naive_remove(&game->naive, run);
	run_free(queue_take(&game->queue, run));
}

START_TEST(whatever_happens_users_take_turns_as_they_do_in_a_plain_model)
{
	void (*const moves[])(Game *) = { game_push, game_push, game_push,   game_pop,       game_pop,
					  game_pass, game_take, game_return, game_end_first, game_end_first };
	static Game game;

	game = (Game){ .dice = dice_take("turns") };
	queue_init(&game.queue);
	TAILQ_INIT(&game.ordered);
	for (unsigned i = 0; i < 200000; i++) {
		if (game.n_ordered < RUNS_MAX)
			moves[dice_below(&game.dice, ELEMENTSOF(moves))](&game);
		else
			game_end_first(&game);
	}
	while (game.queue.n > 0)
		game_pop(&game);
	ck_assert_uint_eq(game.naive.n_turns, 0);
	while (game.n_ordered > 0)
		game_end_first(&game);
}
END_TEST

CHECK_MAIN(turns, users_take_turns_and_whoever_comes_late_waits_for_one_run_of_each_other,
	   a_user_who_has_nothing_left_begins_anew_behind_the_others, users_of_one_bucket_are_kept_apart,
	   what_a_worker_did_not_begin_comes_back_before_the_rest_and_its_users_first,
	   whose_run_has_begun_has_had_a_turn, what_an_operator_decided_about_comes_before_everybodys_turn,
	   whatever_happens_users_take_turns_as_they_do_in_a_plain_model)
