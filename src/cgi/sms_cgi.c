/*
 * sms_cgi - the program behind /cgi-bin/sms_list, sms_read, sms_send, sms_total and sms_delete.
 *
 * Hands the CGI request (RFC 3875) to the gateway as one JSON-RPC call on its unix socket and prints the answer. All
 * rules live in the gateway. Installed under each of the names.
 *
 *   cc -std=c99 -Wall -Wextra -Werror -Os -o sms_list sms_cgi.c
 *
 * The environment variable SMS_GATEWAY_SOCKET names another socket: only the web server's administrator can set it, as
 * what a client sends appears under other names.
 */
#define _POSIX_C_SOURCE 200809L
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#ifndef SMS_GATEWAY_SOCKET
#define SMS_GATEWAY_SOCKET "/var/run/sms_gateway.sock"
#endif

#ifndef DEADLINE
#define DEADLINE 55 /* seconds for everything; uhttpd kills a script after 60 */
#endif

enum { MAX_BODY = 65536, MAX_ANSWER = 8 * 1024 * 1024 };
enum { PATIENCE_MS = 3000, MIN_WAIT_MS = 50 }; /* for all waits for a place together; for one */

/* The answer has no body when it is one to a HEAD request. */
static int is_head;

static void answer(int code, const char *type, const char *body, size_t length)
{
	static const struct { int code; const char *text; } reasons[] = {
		{ 200, "OK" }, { 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" },
		{ 404, "Not Found" }, { 405, "Method Not Allowed" }, { 409, "Conflict" },
		{ 411, "Length Required" }, { 413, "Content Too Large" }, { 429, "Too Many Requests" },
		{ 502, "Bad Gateway" }, { 503, "Service Unavailable" }, { 504, "Gateway Timeout" },
		{ 507, "Insufficient Storage" },
	};
	const char *reason = "Other"; /* uhttpd takes a Status for 200 when it has no reason */
	size_t i;

	/* A client that takes its answer slowly gets no second one on top when the time is over. */
	signal(SIGALRM, SIG_DFL);
	for (i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (reasons[i].code == code)
			reason = reasons[i].text;
	/* Answers hold messages, and their URLs hold passwords: not to be stored. */
	printf("Status: %d %s\r\nContent-Type: %s\r\nContent-Length: %lu\r\n%sCache-Control: no-store\r\n"
	       "X-Content-Type-Options: nosniff\r\n\r\n",
	       code, reason, type, (unsigned long)length, code == 405 ? "Allow: GET, POST\r\n" : "");
	if (!is_head)
		fwrite(body, 1, length, stdout);
	exit(fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

static void fail(int code)
{
	answer(code, "text/plain;charset=utf-8", "ERROR\n", 6);
}

/* The gateway did not answer in time. An interrupted stdio must not be used here. */
static void on_alarm(int number)
{
	static const char head[] = "Status: 504 Gateway Timeout\r\nContent-Type: text/plain;charset=utf-8\r\n"
				   "Content-Length: 8\r\nCache-Control: no-store\r\n"
				   "X-Content-Type-Options: nosniff\r\n\r\n";
	static const char body[] = "TIMEOUT\n";
	ssize_t written = write(STDOUT_FILENO, head, sizeof head - 1);

	if (!is_head && written > 0)
		written = write(STDOUT_FILENO, body, sizeof body - 1);

	_exit(number == SIGALRM && written > 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* Octets that grow; data[length] is always 0 once something was put in. */
struct buffer {
	char *data;
	size_t length, size;
};

static void put(struct buffer *buffer, const char *octets, size_t count)
{
	if (buffer->length + count >= buffer->size) {
		size_t size = 2 * (buffer->length + count) + 256;
		char *data = realloc(buffer->data, size);

		if (data == NULL)
			fail(503);
		buffer->data = data;
		buffer->size = size;
	}
	memcpy(buffer->data + buffer->length, octets, count);
	buffer->length += count;
	buffer->data[buffer->length] = '\0';
}

static void put_text(struct buffer *buffer, const char *text)
{
	put(buffer, text, strlen(text));
}

/* Puts octets as a JSON string, one character an octet: what is not printable ASCII as \u00XX. */
static void put_octets(struct buffer *buffer, const char *octets, size_t count)
{
	size_t i;

	put_text(buffer, "\"");
	for (i = 0; i < count; i++) {
		unsigned char octet = (unsigned char)octets[i];
		char escape[7];

		if (octet >= 0x20 && octet < 0x7f && octet != '"' && octet != '\\') {
			put(buffer, octets + i, 1);
			continue;
		}
		snprintf(escape, sizeof escape, "\\u%04x", octet);
		put_text(buffer, escape);
	}
	put_text(buffer, "\"");
}

static const char *environment(const char *name)
{
	const char *value = getenv(name);

	return value != NULL ? value : "";
}

/* `start` is the JSON text up to the value. */
static void put_member(struct buffer *buffer, const char *start, const char *value)
{
	put_text(buffer, start);
	put_octets(buffer, value, strlen(value));
}

/*
 * Reads the request body, CONTENT_LENGTH octets. A body that came in chunks has no length, and uhttpd ends it alike when
 * it is whole and when the client broke off: half a text must not be sent.
 */
static void read_body(struct buffer *body)
{
	const char *length = environment("CONTENT_LENGTH");
	char piece[4096], *end;
	size_t wanted = strtoul(length, &end, 10);
	ssize_t count = 1;

	if (*length == '\0') {
		if (read(STDIN_FILENO, piece, 1) > 0)
			fail(411);
		return;
	}
	if (*end != '\0')
		fail(400);
	wanted = wanted > MAX_BODY ? MAX_BODY + 1 : wanted;
	while (body->length < wanted && count > 0) {
		size_t space = wanted - body->length;

		count = read(STDIN_FILENO, piece, space < sizeof piece ? space : sizeof piece);
		put(body, piece, count > 0 ? (size_t)count : 0);
	}
	if (body->length > MAX_BODY)
		fail(413);
	if (body->length < wanted)
		fail(400); /* the client broke off */
}

/* The header fields that say where the request comes from, as far as the web server passes them. */
static void put_headers(struct buffer *call)
{
	static const struct { const char *variable, *name; } fields[] = {
		{ "HTTP_HOST", "host" }, { "HTTP_ORIGIN", "origin" }, { "HTTP_REFERER", "referer" },
		{ "HTTP_USER_AGENT", "user-agent" }, { "HTTP_SEC_FETCH_SITE", "sec-fetch-site" },
		{ "HTTP_X_FORWARDED_FOR", "x-forwarded-for" }, { "HTTP_FORWARDED", "forwarded" },
		{ "HTTP_X_REAL_IP", "x-real-ip" }, { "HTTP_VIA", "via" },
	};
	int count = 0;
	size_t i;

	for (i = 0; i < sizeof fields / sizeof *fields; i++) {
		const char *value = getenv(fields[i].variable);

		if (value == NULL)
			continue;
		put_text(call, count++ == 0 ? ",\"headers\":{\"" : ",\"");
		put_text(call, fields[i].name);
		put_member(call, "\":", value);
	}
	if (count > 0)
		put_text(call, "}");
}

static void build_call(struct buffer *call, const char *program)
{
	const char *method = environment("REQUEST_METHOD");
	const char *path = *environment("SCRIPT_NAME") != '\0' ? environment("SCRIPT_NAME") : program;
	const char *slash = strrchr(path, '/');
	struct buffer body = { NULL, 0, 0 };

	is_head = strcmp(method, "HEAD") == 0;
	if (*environment("PATH_INFO") != '\0')
		answer(404, "text/plain;charset=utf-8", "Not Found\n", 10);
	put_member(call, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"call\",\"params\":"
		   "[\"sms_gateway.cgi\",\"request\",{\"script\":", slash != NULL ? slash + 1 : path);
	put_member(call, ",\"method\":", method);
	put_member(call, ",\"query\":", environment("QUERY_STRING"));
	put_member(call, ",\"content_type\":", environment("CONTENT_TYPE"));
	put_member(call, ",\"remote_addr\":", environment("REMOTE_ADDR"));
	put_headers(call);
	if (strcmp(method, "POST") == 0) {
		read_body(&body);
		put_text(call, ",\"body\":");
		put_octets(call, body.data, body.length);
		free(body.data);
	}
	put_text(call, "}]}\n");
}

/* Sends the call and reads the line that answers it. Where there was no place for it the answer comes unasked. */
static void exchange(const struct buffer *call, struct buffer *line)
{
	const char *path = environment("SMS_GATEWAY_SOCKET");
	struct sockaddr_un address;
	char piece[16384];
	size_t sent;
	ssize_t count;
	int peer = socket(AF_UNIX, SOCK_STREAM, 0);

	path = *path != '\0' ? path : SMS_GATEWAY_SOCKET;
	memset(&address, 0, sizeof address);
	address.sun_family = AF_UNIX;
	if (peer == -1 || strlen(path) >= sizeof address.sun_path)
		fail(503);
	strcpy(address.sun_path, path);
	if (connect(peer, (struct sockaddr *)&address, sizeof address) == -1)
		fail(503);
	for (sent = 0; sent < call->length; sent += (size_t)count) {
		count = write(peer, call->data + sent, call->length - sent);
		if (count <= 0)
			break;
	}
	do {
		count = read(peer, piece, sizeof piece);
		if (count <= 0 || line->length + (size_t)count > MAX_ANSWER)
			fail(503);
		put(line, piece, (size_t)count);
	} while (memchr(piece, '\n', (size_t)count) == NULL);
	close(peer);
}

/*
 * ms until another try when the line says that the gateway had no place for the connection, else 0. That is an error
 * without an id and with a time: nothing of the call was read, so that nothing is sent twice.
 */
static long no_place(const struct buffer *line)
{
	static const char start[] = "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":", name[] = "\"retry_after\":";
	const char *after = strncmp(line->data, start, sizeof start - 1) == 0 ? strstr(line->data, name) : NULL;
	double seconds = after != NULL && strstr(line->data, "\"too_many\"") != NULL ? strtod(after + sizeof name - 1, NULL) : 0;

	if (!(seconds > 0))
		return 0;
	return seconds > PATIENCE_MS ? PATIENCE_MS + 1 : seconds * 1000 < MIN_WAIT_MS ? MIN_WAIT_MS : (long)(seconds * 1000);
}

/* The exchange, again while there is no place for it and patience for another wait. */
static void patient_exchange(const struct buffer *call, struct buffer *line)
{
	long left = PATIENCE_MS, wait;

	for (exchange(call, line); (wait = no_place(line)) > 0 && wait <= left; exchange(call, line)) {
		struct timespec pause = { wait / 1000, wait % 1000 * 1000000 };

		left -= wait;
		nanosleep(&pause, NULL);
		line->length = 0;
	}
}

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t\r\n");
}

/* Four hexadecimal digits, or -1. */
static long hex4(const char *text)
{
	char digits[5] = "";

	return strspn(text, "0123456789abcdefABCDEF") < 4 ? -1 : strtol(memcpy(digits, text, 4), NULL, 16);
}

static void put_utf8(struct buffer *out, unsigned long code)
{
	char octets[4];
	size_t count = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = { 0, 0x00, 0xc0, 0xe0, 0xf0 };
	size_t i;

	for (i = count - 1; i > 0; i--, code >>= 6)
		octets[i] = (char)(0x80 | (code & 0x3f));
	octets[0] = (char)(lead[count] | code);
	put(out, octets, count);
}

/* Appends the JSON string (RFC 8259 7) at `text` to `out`; the place behind it, or NULL where it breaks the grammar. */
static const char *read_string(const char *text, struct buffer *out)
{
	static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";

	put(out, "", 0);
	for (text++; *text != '"';) {
		size_t plain = strcspn(text, "\"\\");
		const char *name;
		long code, low;

		put(out, text, plain);
		text += plain;
		if (*text == '"')
			break;
		if (*text++ == '\0')
			return NULL;
		if (*text != 'u') {
			name = *text != '\0' ? strchr(names, *text++) : NULL;
			if (name == NULL)
				return NULL;
			put(out, meanings + (name - names), 1);
			continue;
		}
		code = hex4(++text);
		if (code < 0)
			return NULL;
		text += 4;
		low = code >= 0xd800 && code < 0xdc00 && strncmp(text, "\\u", 2) == 0 ? hex4(text + 2) : -1;
		if (low >= 0xdc00 && low < 0xe000) {
			code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
			text += 6;
		}
		put_utf8(out, code >= 0xd800 && code < 0xe000 ? 0xfffd : (unsigned long)code);
	}
	return text + 1;
}

static long status;
static struct buffer content_type, content;

/*
 * Keeps what stands in the object `result` of the response, in whatever order and among whatever else. The gateway
 * writes correct JSON: this finds what is needed in it and takes no harm from what is wrong.
 */
static void read_response(const char *text)
{
	struct buffer string = { NULL, 0, 0 }, *target, spare;
	char key[16] = "";
	int depth = 0, in_result = 0;

	while (text != NULL && *(text = skip_blanks(text)) != '\0') {
		if (*text == '"') {
			string.length = 0;
			text = read_string(text, &string);
			if (text != NULL && *skip_blanks(text) == ':') {
				snprintf(key, sizeof key, "%s", string.data);
				continue;
			}
			target = strcmp(key, "body") == 0 ? &content
			       : strcmp(key, "content_type") == 0 ? &content_type : NULL;
			if (text != NULL && target != NULL && in_result && depth == 2) {
				spare = *target;
				*target = string;
				string = spare;
			}
			continue;
		}
		if (in_result && depth == 2 && strcmp(key, "status") == 0 && status == 0)
			status = strtol(text, NULL, 10);
		if (*text == '{' || *text == '[')
			in_result = ++depth == 2 ? strcmp(key, "result") == 0 : in_result;
		depth -= *text == '}' || *text == ']';
		text = depth > 0 ? text + 1 : NULL;
	}
	free(string.data);
}

int main(int argc, char **argv)
{
	struct buffer call = { NULL, 0, 0 }, line = { NULL, 0, 0 };

	signal(SIGPIPE, SIG_IGN);
	signal(SIGALRM, on_alarm);
	alarm(DEADLINE);
	build_call(&call, argc > 0 ? argv[0] : "");
	patient_exchange(&call, &line);
	read_response(line.data);
	/* An error of the call itself has no result, and its text is for programmers. */
	if (status < 100 || status > 599 || content.data == NULL || content_type.data == NULL ||
	    strpbrk(content_type.data, "\r\n") != NULL)
		fail(503);
	answer((int)status, content_type.data, content.data, content.length);
}
