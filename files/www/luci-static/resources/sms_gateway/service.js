'use strict';
'require baseclass';
'require rpc';

/* The service as the pages see it: its calls, and its words in the language of the reader. */

/* libubus statuses, for answers that carry no sentence. */
const statuses = {
	1: _('The service does not understand the call.'),
	2: _('An argument is wrong.'),
	3: _('The service does not know this call; it may be an older version.'),
	4: _('There is no such thing any more.'),
	5: _('There is nobody who could do this now.'),
	6: _('This account may not do that.'),
	7: _('The service took too long to answer.'),
	8: _('This cannot be done now.'),
	10: _('The connection failed.'),
	11: _('There is no room for more.'),
	13: _('The store cannot be written.')
};

/* The codes of errors, src/base/errors.ts, for readers of another language than that of the service. */
const codes = {
	parse_error: statuses[1],
	invalid_request: statuses[1],
	method_not_found: statuses[3],
	invalid_argument: statuses[2],
	object_not_found: statuses[3],
	login_required: _('Log in first.'),
	access_denied: statuses[6],
	timeout: statuses[7],
	too_large: _('This is too large.'),
	too_many: _('There are too many requests at once. Try again later.'),
	not_supported: _('This cannot be done here.'),
	message_not_found: _('There is no such message any more.'),
	group_not_found: _('There is no such phone group.'),
	group_empty: _('The phone group has no members.'),
	modem_not_found: _('There is no such modem.'),
	file_not_found: _('There is no such file.'),
	module_not_found: _('There is no such function.'),
	invalid_number: _('This is no phone number.'),
	invalid_text: _('The text cannot be sent.'),
	text_too_long: _('The text is too long.'),
	number_denied: _('No message may go to this number.'),
	wrong_state: statuses[8],
	queue_full: statuses[11],
	limit_reached: _('A limit of SMS is reached.'),
	store_full: _('The store is full.'),
	store_unavailable: statuses[13],
	store_locked: _('Another process uses the store.'),
	modem_unavailable: _('No modem can do this now.'),
	modem_rejected: _('The modem or the network refuses this.'),
	module_unavailable: _('The function is off or has failed.'),
	connection_failed: statuses[10],
	peer_rejected: _('The other server refuses this.'),
	config_invalid: _('The settings are wrong.'),
	stopping: _('The service stops or starts again. Try again in a moment.'),
	internal: _('Something went wrong in the service; its log says what.')
};

/* The service speaks English. Readers of English need no second sentence. */
const isTranslated = statuses[11] != 'There is no room for more.';

/* What the service says, and before it the same in the language of the reader, in general words. */
function sentence(code, message) {
	return isTranslated && codes[code] ? codes[code] + ' (' + code + ': ' + message + ')' : message;
}

function refusal(text) {
	const error = new Error(text);
	error.name = 'ServiceError';
	return error;
}

/* A refusal comes as a bare status, or as the table that the service sends before it. */
function outcome(answer) {
	if (typeof(answer) == 'number' && answer !== 0)
		throw refusal(statuses[answer] || _('The call failed with status %d.').format(answer));

	if (L.isObject(answer) && typeof(answer.code) == 'string' && typeof(answer.message) == 'string')
		throw refusal(sentence(answer.code, answer.message));

	return answer || {};
}

/* What the RPC client says is meant for a log. */
function failure(error) {
	const text = String(error.message || error);

	if (error.name == 'ServiceError')
		throw error;
	if (text.indexOf('-32000') != -1)
		throw refusal(_('The SMS gateway service does not run.'));
	if (text.indexOf('-32002') != -1)
		throw refusal(statuses[6]);
	if (text.indexOf('-32003') != -1)
		throw refusal(statuses[7]);

	throw refusal(_('The router does not answer.'));
}

/* A function that takes the arguments as a table and rejects with a sentence. */
function method(object, name, params, nobatch) {
	const names = params || [],
	      call = rpc.declare({ object: object, method: name, params: names, nobatch: nobatch || false });

	return function(args) {
		const given = args || {};

		return call.apply(null, names.map(function(param) { return given[param]; })).then(outcome).catch(failure);
	};
}

/* Calls that wait for a modem or for another server. Seconds; uhttpd waits 60. */
const SLOW = 58;

function slow(object, name, params) {
	const call = method(object, name, params, true);

	return function(args) {
		const before = L.env.rpctimeout;

		L.env.rpctimeout = SLOW;
		try {
			return call(args);
		}
		finally {
			L.env.rpctimeout = before;
		}
	};
}

const modemStates = {
	opening: _('opening the port'),
	probing: _('looking for a modem'),
	no_sim: _('no SIM card'),
	pin_required: _('SIM PIN needed'),
	pin_wrong: _('SIM PIN wrong'),
	puk_required: _('SIM blocked, PUK needed'),
	setting_up: _('setting up'),
	registering: _('looking for a network'),
	denied: _('refused by the network'),
	ready: _('ready'),
	hung: _('does not answer'),
	stopped: _('stopped')
};

const moduleStates = {
	disabled: _('off'),
	error: _('settings wrong'),
	starting: _('starting'),
	running: _('running'),
	failed: _('failed'),
	stopping: _('stopping')
};

const messageStates = {
	unread: _('unread'),
	read: _('read'),
	queued: _('waiting'),
	sending: _('sending'),
	sent: _('sent'),
	delivered: _('delivered'),
	undelivered: _('not delivered'),
	expired: _('expired'),
	failed: _('failed'),
	unknown: _('unclear'),
	cancelled: _('cancelled')
};

const registrations = {
	home: _('home'),
	roaming: _('roaming'),
	searching: _('searching'),
	denied: _('refused'),
	none: _('no network')
};

const kinds = {
	ready: 'success', running: 'success', delivered: 'success',
	failed: 'danger', error: 'danger', undelivered: 'danger', expired: 'danger', denied: 'danger',
	no_sim: 'danger', pin_required: 'danger', pin_wrong: 'danger', puk_required: 'danger', hung: 'danger',
	unknown: 'warning', opening: 'warning', probing: 'warning', registering: 'warning', setting_up: 'warning', starting: 'warning',
	stopping: 'warning', sending: 'notice', queued: 'notice', unread: 'notice'
};

/* How long a modem may be in a state on the way to ready, s. */
const patience = { opening: 60, probing: 60, setting_up: 180, registering: 180 };

const classes = {
	success: 'label success',
	warning: 'label warning',
	notice: 'label notice',
	danger: 'label important danger error'
};

/* Title and page of each gateway function, by the name of its module; in the order of the menu. */
const functions = {
	post_get: { title: _('Post/Get'), page: 'post_get' },
	pop3: { title: _('Email to SMS'), page: 'email_to_sms', testable: true },
	scheduled: { title: _('Scheduled SMS'), page: 'scheduled' },
	auto_reply: { title: _('Auto Reply'), page: 'auto_reply' },
	forwarding_to_http: { title: _('SMS Forwarding To HTTP'), page: 'forwarding', testable: true },
	forwarding_to_sms: { title: _('SMS Forwarding To SMS'), page: 'forwarding' },
	forwarding_to_smtp: { title: _('SMS Forwarding To Email'), page: 'forwarding', testable: true },
	hooks: { title: _('Hooks'), page: 'hooks', testable: true },
	webhooks: { title: _('Webhooks'), page: 'hooks', testable: true },
	smpp: { title: _('SMPP'), page: 'smpp' },
	mqtt: { title: _('MQTT'), page: 'mqtt', testable: true },
	rules: { title: _('Rules'), page: 'rules' },
	alarms: { title: _('Alarms about limits'), page: 'gateway' }
};

const counters = {
	requests: _('requests'),
	sent: _('sent'),
	ignored: _('ignored'),
	deleted: _('deleted'),
	failures: _('failed'),
	failed: _('failed'),
	missed: _('missed'),
	replied: _('answered'),
	refused: _('refused'),
	locked_out: _('locked out'),
	forwarded: _('forwarded'),
	reports: _('reports'),
	rejected: _('rejected'),
	executed: _('carried out'),
	run: _('run'),
	binds: _('logins'),
	throttled: _('throttled'),
	delivered: _('handed over'),
	receipts: _('receipts'),
	received: _('received'),
	repeated: _('repeated'),
	connections: _('connections')
};

/* Sections of the config and the page that shows them. */
const pages = {
	gateway: 'gateway', modems: 'modems', modem: 'modems', post_get: 'post_get', token: 'post_get', pop3: 'email_to_sms',
	scheduled: 'scheduled', msg: 'scheduled', auto_reply: 'auto_reply', forwarding_to_http: 'forwarding',
	forwarding_to_sms: 'forwarding', forwarding_to_smtp: 'forwarding', smpp: 'smpp', smpp_account: 'smpp',
	mqtt: 'mqtt', group: 'groups', rule: 'rules', command: 'rules', hook: 'hooks', webhook: 'hooks', hooks: 'hooks', webhooks: 'hooks'
};

return baseclass.extend({
	status: method('sms_gateway', 'status'),

	send: method('sms_gateway.message', 'send',
		['number', 'group', 'text', 'modem', 'priority', 'flash', 'report', 'not_before', 'client_ref']),
	list: method('sms_gateway.message', 'list',
		['box', 'state', 'number', 'text', 'since', 'limit', 'cursor', 'order']),
	message: method('sms_gateway.message', 'status', ['id']),
	read: method('sms_gateway.message', 'read', ['id']),
	remove: method('sms_gateway.message', 'delete', ['id']),
	cancel: method('sms_gateway.message', 'cancel', ['id']),
	retry: method('sms_gateway.message', 'retry', ['id']),
	segments: method('sms_gateway.message', 'segments', ['text']),
	statistics: method('sms_gateway.message', 'statistics', ['hours']),

	modems: method('sms_gateway.modem', 'list'),
	restartModem: method('sms_gateway.modem', 'restart', ['modem']),
	ussd: slow('sms_gateway.modem', 'ussd', ['modem', 'code']),

	module: method('sms_gateway.module', 'status', ['module']),
	test: slow('sms_gateway.module', 'test', ['module']),

	functions: functions,

	/* A state on the way to ready is a fault once it lasts: then the modem sends nothing. */
	modemIsDown: function(modem) {
		const patient = patience[modem.state];

		return kinds[modem.state] == 'danger' || (patient != null &&
			(Date.now() - Date.parse(modem.since) > patient * 1000 || /does not exist/.test(modem.error || '')));
	},

	modemState: function(modem) {
		return this.modemIsDown(modem)
			? E('span', { 'class': classes.danger }, [ modemStates[modem.state] || String(modem.state) ])
			: this.badge(modemStates, modem.state);
	},

	moduleState: function(module) {
		if (module.state == 'running' && module.error)
			return E('span', { 'class': classes.warning }, [ _('running, with errors') ]);

		return this.badge(moduleStates, module.state);
	},

	messageState: function(state) {
		return this.badge(messageStates, state);
	},

	messageStates: messageStates,

	registration: function(word) {
		return registrations[word] || word || '';
	},

	badge: function(words, state) {
		return E('span', { 'class': classes[kinds[state]] || 'label' }, [ words[state] || String(state) ]);
	},

	/* What a module has done since it started, as a sentence; '' when that is nothing. */
	deeds: function(module) {
		const parts = [];

		for (let name in module.counters || {})
			if (module.counters[name] > 0)
				parts.push('%d %s'.format(module.counters[name], counters[name] || name));

		if (module.pending > 0)
			parts.unshift(N_(module.pending, '%d waits', '%d wait').format(module.pending));

		return parts.join(', ');
	},

	pageUrl: function(page) {
		return L.url('admin/services/sms_gateway', page);
	},

	/* Link to the page of a section of the config, where there is one. */
	sectionPage: function(section) {
		return pages[section] ? this.pageUrl(pages[section]) : null;
	},

	/* Language of the page, in the country that the browser says. */
	locale: function() {
		const page = document.documentElement.lang,
		      own = window.navigator.language || '';

		return !page || own.split('-')[0] == page.split(/[-_]/)[0] ? undefined : page.replace('_', '-');
	},

	clock: function(iso) {
		return new Date(iso).toLocaleTimeString(this.locale(), { hour: '2-digit', minute: '2-digit' });
	},

	/* Time for people: of today only the hour, else the day as well. */
	time: function(iso) {
		const date = new Date(iso),
		      now = new Date(),
		      language = this.locale();

		if (isNaN(date))
			return '';
		if (date.toDateString() == now.toDateString())
			return this.clock(iso);
		if (date.getFullYear() == now.getFullYear())
			return date.toLocaleString(language, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });

		return date.toLocaleDateString(language, { day: 'numeric', month: 'short', year: 'numeric' });
	},

	fullTime: function(iso) {
		const date = new Date(iso);

		return isNaN(date) ? '' : date.toLocaleString(this.locale());
	},

	/* Shows why something failed, where everybody sees it. */
	complain: function(error) {
		L.ui.addNotification(null, E('p', {}, [ String(error.message || error) ]), 'danger');
	},

	/* Text of a stranger: never markup, and what it does to the direction of writing stays inside. */
	foreign: function(text, attributes) {
		return E('bdi', Object.assign({ 'class': 'sg-foreign' }, attributes), [ String(text == null ? '' : text) ]);
	},

	/* A number or a sender's name, which stays on its line as long as it has a usual length. */
	number: function(text) {
		return this.foreign(text, { 'class': String(text).length <= 24 ? 'sg-foreign sg-number' : 'sg-foreign' });
	},

	may: function() {
		return L.hasViewPermission() !== false;
	}
});
