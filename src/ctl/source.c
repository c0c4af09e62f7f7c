/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/source.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/text.h"

int source_read(const char *path, Buffer *content, Buffer *message)
{
	static bool consumed;
	bool input = strcmp(path, "-") == 0;
	int r;

	if (input && consumed) {
		buffer_text(message, "standard input can be read only once");
		return -EBUSY;
	}
	if (input) {
		consumed = true;
		r = read_fd(STDIN_FILENO, SOURCE_SIZE_MAX, content);
	} else {
		r = read_file(path, SOURCE_SIZE_MAX, content);
	}
	if (r >= 0)
		return buffer_error(content);
	buffer_text(message, "cannot read ");
	text_escape(path, strlen(path), SIZE_MAX, message);
	if (r == -EFBIG)
		buffer_format(message, ": it is larger than %u bytes", SOURCE_SIZE_MAX);
	else
		buffer_format(message, ": %s", strerror(-r));
	return r;
}
