/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who brings whom: programs and hooks as nodes, `hooks`, `dependencies` and `reference` as edges (rule 2). One walk in
 * depth finds the cycles; in the order in which it leaves the nodes, what holds of the inner ones is known first. */
#include "spec/parts.h"

#include <errno.h>
#include <string.h>

typedef enum Mark {
	MARK_NEW,
	MARK_OPEN,
	MARK_DONE,
} Mark;

typedef struct Visit {
	size_t node;
	size_t next; /* edge to be followed */
} Visit;

typedef struct Graph {
	Loader *loader;
	const Spec *spec;
	size_t n; /* programs first, then hooks */
	Mark *marks;
	Visit *stack;
	size_t depth;
	size_t *order; /* inner nodes before outer ones */
	size_t n_order;
	bool *forward;   /* whether something on the way forward is broken */
	bool *rectified; /* whether some step has rectifiers */
	bool *steps;     /* whether there is any step */
} Graph;

static const SpecHook *node_hook(const Graph *graph, size_t node)
{
	return node < graph->spec->n_programs ? NULL : &graph->spec->hooks[node - graph->spec->n_programs];
}

static size_t reference_node(const Graph *graph, const SpecReference *reference)
{
	if (reference->hook)
		return graph->spec->n_programs + (size_t)(reference->hook - graph->spec->hooks);
	return reference->program ? (size_t)(reference->program - graph->spec->programs) : SIZE_MAX;
}

/* The node at the end of an edge; SIZE_MAX where the reference was not resolved. False behind the last edge. */
static bool node_edge(const Graph *graph, size_t node, size_t edge, size_t *ret)
{
	const SpecHook *hook = node_hook(graph, node);
	const SpecReferences *references = hook ? &hook->dependencies : &graph->spec->programs[node].hooks;

	if (edge < references->n) {
		*ret = reference_node(graph, &references->items[edge]);
		return true;
	}
	if (edge > references->n || !hook || !hook->program)
		return false;
	*ret = (size_t)(hook->program - graph->spec->programs);
	return true;
}

static void node_write(const Graph *graph, size_t node, Buffer *buffer)
{
	const SpecHook *hook = node_hook(graph, node);

	if (hook)
		buffer_format(buffer, "hooks.%s", hook->name);
	else
		buffer_format(buffer, "programs.%s", graph->spec->programs[node].name);
}

static bool *node_broken(const Graph *graph, size_t node)
{
	size_t n = graph->spec->n_programs;

	return node < n ? &graph->loader->programs_broken[node] : &graph->loader->hooks_broken[node - n];
}

/* Goes to the reference that is this edge. */
static void graph_go(const Graph *graph, size_t node, size_t edge)
{
	const SpecHook *hook = node_hook(graph, node);

	if (!hook) {
		loader_go_program(graph->loader, &graph->spec->programs[node]);
		loader_enter(graph->loader, "hooks");
		loader_enter_index(graph->loader, edge);
		return;
	}
	loader_go_hook(graph->loader, hook);
	if (edge == hook->dependencies.n) {
		loader_enter(graph->loader, "reference");
		return;
	}
	loader_enter(graph->loader, "dependencies");
	loader_enter_index(graph->loader, edge);
}

/* The innermost visit's last edge leads to `target`, which is open. */
static void graph_cycle(Graph *graph, size_t target)
{
	const Visit *last = &graph->stack[graph->depth - 1];
	_cleanup_buffer_ Buffer buffer = { 0 };
	_cleanup_free_ char *trail = NULL;
	size_t i = 0;

	while (graph->stack[i].node != target)
		i++;
	for (; i < graph->depth; i++) {
		node_write(graph, graph->stack[i].node, &buffer);
		buffer_text(&buffer, " → ");
	}
	node_write(graph, target, &buffer);
	trail = buffer_take_text(&buffer);
	if (!trail) {
		graph->loader->error = -ENOMEM;
		return;
	}
	graph_go(graph, last->node, last->next - 1);
	loader_error(graph->loader, "expected no cycle; got %s", trail);
}

static void graph_visit(Graph *graph, size_t node)
{
	graph->marks[node] = MARK_OPEN;
	graph->stack[graph->depth++] = (Visit){ .node = node };
}

static void graph_walk(Graph *graph, size_t root)
{
	if (graph->marks[root] != MARK_NEW)
		return;
	graph_visit(graph, root);
	while (graph->depth > 0) {
		Visit *visit = &graph->stack[graph->depth - 1];
		size_t next;

		if (!node_edge(graph, visit->node, visit->next, &next)) {
			graph->marks[visit->node] = MARK_DONE;
			graph->order[graph->n_order++] = visit->node;
			graph->depth--;
			continue;
		}
		visit->next++;
		if (next != SIZE_MAX && graph->marks[next] == MARK_OPEN)
			graph_cycle(graph, next);
		else if (next != SIZE_MAX && graph->marks[next] == MARK_NEW)
			graph_visit(graph, next);
	}
}

static bool references_broken(const Graph *graph, const SpecReferences *references)
{
	for (size_t i = 0; i < references->n; i++) {
		size_t node = reference_node(graph, &references->items[i]);

		if (node == SIZE_MAX || graph->forward[node])
			return true;
	}
	return false;
}

static void graph_sum(Graph *graph, bool *sums)
{
	for (size_t i = 0; i < graph->n_order; i++) {
		size_t node = graph->order[i], next;

		for (size_t edge = 0; node_edge(graph, node, edge, &next); edge++)
			if (next != SIZE_MAX)
				sums[node] |= sums[next];
	}
}

/* What cannot be expanded for want of a part, rectifiers of steps included, counts as broken itself. */
static void graph_break(Graph *graph)
{
	bool *whole = graph->forward;

	for (size_t node = 0; node < graph->n; node++)
		whole[node] = *node_broken(graph, node);
	graph_sum(graph, whole);
	for (size_t node = 0; node < graph->n; node++) {
		const SpecHook *hook = node_hook(graph, node);

		if (hook && references_broken(graph, &hook->rectifiers))
			*node_broken(graph, node) = true;
	}
	for (size_t node = 0; node < graph->n; node++)
		whole[node] |= *node_broken(graph, node);
	graph_sum(graph, whole);
	for (size_t node = 0; node < graph->n; node++)
		*node_broken(graph, node) = whole[node];
}

/* Rule 5: rectifiers of a hook that stands for a program do not run when the run ends within the program. */
static void graph_warn(Graph *graph)
{
	for (size_t node = 0; node < graph->n; node++) {
		const SpecHook *hook = node_hook(graph, node);

		graph->rectified[node] = hook && hook->rectifiers.n > 0;
		graph->steps[node] = hook != NULL;
	}
	graph_sum(graph, graph->rectified);
	graph_sum(graph, graph->steps);
	for (size_t node = graph->spec->n_programs; node < graph->n; node++) {
		const SpecHook *hook = node_hook(graph, node);
		size_t program;

		if (!hook->program || hook->rectifiers.n == 0 || *node_broken(graph, node))
			continue;
		program = (size_t)(hook->program - graph->spec->programs);
		if (graph->rectified[program] || !graph->steps[program])
			continue;
		loader_go_hook(graph->loader, hook);
		loader_enter(graph->loader, "rectifiers");
		loader_warning(graph->loader,
			       "expected rectifiers in programs.%s; got none, and those of this hook do not run when a "
			       "run ends within that program",
			       hook->program->name);
	}
}

void check_graph(Loader *loader)
{
	Graph graph = { .loader = loader, .spec = loader->spec, .n = loader->spec->n_programs + loader->spec->n_hooks };

	graph.marks = loader_array(loader, graph.n, sizeof(*graph.marks));
	graph.stack = loader_array(loader, graph.n, sizeof(*graph.stack));
	graph.order = loader_array(loader, graph.n, sizeof(*graph.order));
	graph.forward = loader_array(loader, graph.n, sizeof(*graph.forward));
	graph.rectified = loader_array(loader, graph.n, sizeof(*graph.rectified));
	graph.steps = loader_array(loader, graph.n, sizeof(*graph.steps));
	for (size_t node = 0; node < graph.n && loader->error == 0; node++)
		graph_walk(&graph, node);
	if (loader->error == 0) {
		graph_break(&graph);
		graph_warn(&graph);
	}
	free(graph.marks);
	free(graph.stack);
	free(graph.order);
	free(graph.forward);
	free(graph.rectified);
	free(graph.steps);
}
