'use strict';
'require view';
'require poll';
'require uci';
'require ui';
'require sms_gateway.chart as chart';
'require sms_gateway.functionpage as functionpage';
'require sms_gateway.part as part';
'require sms_gateway.service as service';
'require sms_gateway.style as style';

/* Failed messages that the page names; the rest is in the outbox. */
const FAILURES = 5;

/* Received signal in dBm from which on there are so many bars. */
const bars = [ -110, -100, -85, -70 ];

function load() {
	return Promise.all([
		service.status(),
		service.statistics({ hours: 24 }).catch(function() { return null; }),
		service.list({ box: 'outbox', state: 'failed', order: 'newest', limit: FAILURES }).catch(function() { return {}; })
	]).then(function(answers) {
		return { status: answers[0], statistics: answers[1], failures: answers[2].messages || [] };
	}).catch(function(error) {
		return { error: error.message };
	});
}

function section(title, node) {
	return E('div', { 'class': 'cbi-section' }, [ E('h3', {}, [ title ]), node ]);
}

function signal(dbm) {
	if (dbm == null)
		return '–';

	return E('span', { 'class': 'nowrap' }, [
		E('span', { 'class': 'sg-signal', 'aria-hidden': 'true' }, bars.map(function(level, i) {
			return E('i', { 'class': dbm >= level ? 'on' : '', 'style': 'height:%d%%'.format(25 * (i + 1)) });
		})),
		'%d dBm'.format(dbm)
	]);
}

function facts(pairs) {
	return E('dl', { 'class': 'sg-facts' }, pairs.filter(function(pair) {
		return pair[1] != null && pair[1] !== '';
	}).reduce(function(all, pair) {
		return all.concat([ E('dt', {}, [ pair[0] ]), E('dd', {}, [ pair[1] ]) ]);
	}, []));
}

function modemCard(modem) {
	const network = [ modem.operator, service.registration(modem.registration), modem.technology ].filter(function(word) {
		return word;
	}).join(' · '),
	      storage = modem.storage ? '%s %d/%d'.format(modem.storage.name, modem.storage.used, modem.storage.total) : null,
	      today = modem.sent_today == null ? null : modem.daily_limit
		? _('%d of %d parts').format(modem.sent_today, modem.daily_limit)
		: N_(modem.sent_today, '%d part', '%d parts').format(modem.sent_today);

	return E('div', { 'class': 'sg-card', 'data-modem': modem.name }, [
		E('div', { 'class': 'sg-card-head' }, [ E('strong', {}, [ modem.name ]), service.modemState(modem) ]),
		facts([
			[ _('Signal'), signal(modem.signal) ],
			[ _('Network'), network ],
			[ _('Number'), modem.number ],
			[ _('Device'), modem.device ],
			[ _('Message storage'), storage ],
			[ _('Sent today'), today ],
			[ _('Since the start'), N_(modem.sent || 0, '%d part sent', '%d parts sent').format(modem.sent || 0) +
				', ' + N_(modem.received || 0, '%d received', '%d received').format(modem.received || 0) +
				(modem.errors ? ', ' + N_(modem.errors, '%d error', '%d errors').format(modem.errors) : '') ]
		]),
		modem.error ? E('div', { 'class': 'alert-message ' + (modem.down ? 'danger' : 'warning') }, [ service.foreign(modem.error) ]) : '',
		modem.warning ? E('div', { 'class': 'alert-message notice' }, [ service.foreign(modem.warning) ]) : '',
		E('div', { 'class': 'button-row' }, [
			E('a', { 'class': 'btn cbi-button', 'href': service.pageUrl('messages') + '#ussd' }, [ _('USSD') ]),
			' ',
			E('button', {
				'type': 'button',
				'class': 'btn cbi-button cbi-button-neutral',
				'data-key': 'restart ' + modem.name,
				'disabled': service.may() ? null : true,
				'click': ui.createHandlerFn(null, function() {
					return service.restartModem({ modem: modem.name }).then(refresh).catch(service.complain);
				})
			}, [ _('Restart') ])
		])
	]);
}

function drawModems(modems) {
	if (modems.length == 0)
		return [ E('p', {}, [
			_('There is no modem in the configuration.'), ' ',
			E('a', { 'href': service.pageUrl('modems') }, [ _('Add a modem') ])
		]) ];

	return [ E('div', { 'class': 'sg-cards' }, modems.map(modemCard)) ];
}

function figure(number, label) {
	return E('div', { 'class': 'sg-figure' }, [ E('b', {}, [ String(number) ]), E('span', {}, [ label ]) ]);
}

function failureRow(message) {
	return E('tr', { 'class': 'tr' }, [
		E('td', { 'class': 'td nowrap', 'data-title': _('Time') }, [ service.time(message.time) ]),
		E('td', { 'class': 'td', 'data-title': _('Recipient') }, [ service.number(message.number) ]),
		E('td', { 'class': 'td', 'data-title': _('Reason') }, [ service.foreign(message.error || '–') ]),
		E('td', { 'class': 'td' }, [ E('button', {
			'type': 'button',
			'class': 'btn cbi-button cbi-button-neutral',
			'data-key': 'retry ' + message.id,
			'disabled': service.may() ? null : true,
			'click': ui.createHandlerFn(null, function() {
				return service.retry({ id: message.id }).then(refresh).catch(service.complain);
			})
		}, [ _('Retry') ]) ])
	]);
}

/* The message that has been due for longest, or while none is due the next scheduled one. */
function waitingView(oldest) {
	if (!oldest)
		return '';
	if (Date.parse(oldest.due) > Date.now())
		return E('p', {}, [ _('The next message is due: %s').format(service.time(oldest.due)) ]);
	return E('p', {}, [
		_('The oldest waiting message is from %s.').format(service.time(oldest.due || oldest.time)),
		oldest.error ? E('span', {}, [ ' ', service.foreign(oldest.error) ]) : ''
	]);
}

function drawMessages(data) {
	const inbox = data.inbox,
	      queue = data.queue,
	      share = inbox.total ? Math.min(100, Math.round(inbox.used / inbox.total * 100)) : 0,
	      waiting = (queue.queued || 0) + (queue.sending || 0);

	return [
		E('div', { 'class': 'sg-figures' }, [
			figure(inbox.unread || 0, _('unread')),
			figure(waiting, _('waiting to be sent')),
			figure(queue.failed || 0, _('failed')),
			queue.unknown ? figure(queue.unknown, _('unclear')) : ''
		]),
		E('div', {
			'class': 'cbi-progressbar sg-bar',
			'title': _('Inbox: %d of %d').format(inbox.used || 0, inbox.total || 0),
			'role': 'img',
			'aria-label': _('Inbox: %d of %d').format(inbox.used || 0, inbox.total || 0)
		}, [ E('div', { 'style': 'width:%d%%'.format(share) }) ]),
		waitingView(data.oldest),
		data.failures.length ? E('table', { 'class': 'table' }, [
			E('tr', { 'class': 'tr table-titles' }, [
				E('th', { 'class': 'th' }, [ _('Time') ]),
				E('th', { 'class': 'th' }, [ _('Recipient') ]),
				E('th', { 'class': 'th' }, [ _('Reason') ]),
				E('th', { 'class': 'th' }, [ E('span', { 'class': 'sr-only' }, [ _('Actions') ]) ])
			])
		].concat(data.failures.map(failureRow))) : '',
		E('p', {}, [ E('a', { 'href': service.pageUrl('messages') }, [ _('All messages') ]) ])
	];
}

function drawChart(hours) {
	if (!hours || hours.length == 0)
		return [ E('p', { 'class': 'sg-muted' }, [ _('No figures yet.') ]) ];

	return [ chart.make(hours) ];
}

function functionRow(module) {
	const known = service.functions[module.name] || { title: module.name },
	      deeds = service.deeds(module);

	return E('li', { 'data-module': module.name }, [
		known.page ? E('a', { 'href': service.pageUrl(known.page) }, [ known.title ]) : E('span', {}, [ known.title ]),
		service.moduleState(module),
		E('div', {}, deeds || module.error ? [
			deeds ? E('span', { 'class': 'sg-muted' }, [ deeds ]) : '',
			module.error ? E('div', { 'class': 'sg-fault' }, [
				service.foreign(module.error),
				module.error_since ? ' ' + _('(since %s)').format(service.time(module.error_since)) : ''
			]) : ''
		] : [])
	]);
}

function drawFunctions(modules) {
	const order = Object.keys(service.functions),
	      place = function(module) { return (order.indexOf(module.name) + 1) || order.length + 1; };

	return [ E('ul', { 'class': 'sg-rows' }, modules.slice().sort(function(a, b) {
		return place(a) - place(b);
	}).map(functionRow)) ];
}

function warning(text, page) {
	return E('div', { 'class': 'alert-message warning' }, [ E('p', {}, [
		text, ' ', E('a', { 'href': service.pageUrl(page) }, [ _('Settings') ])
	]) ]);
}

function on(name, option) {
	return uci.get('sms_gateway', name, option || 'enabled') == '1';
}

function is(name, option, value) {
	return (uci.get('sms_gateway', name, option) || value) == value;
}

/* What works as configured and may still surprise. */
function warnings(status) {
	const found = [],
	      inbox = (status.store || {}).inbox || {};

	if (on('post_get') && is('post_get', 'password', 'user_pass'))
		found.push(warning(on('post_get', 'factory_sends')
			? _('Post/Get still has the factory password. Anybody in the local network can send SMS.')
			: _('Post/Get still has the factory password. Anybody in the local network can read and delete messages.'), 'post_get'));
	if (on('smpp') && is('smpp', 'password', 'admin01'))
		found.push(warning(_('SMPP still has the factory password. Anybody in the local network can send SMS.'), 'smpp'));
	if (on('pop3') && is('pop3', 'delete', 'all'))
		found.push(warning(_('Email to SMS deletes every mail of its mailbox, also those that do not become an SMS.'), 'email_to_sms'));
	if (on('auto_reply') && is('auto_reply', 'mode', 'everyone'))
		found.push(warning(_('Auto Reply answers everyone, and each answer may cost money.'), 'auto_reply'));
	if (on('auto_reply', 'delete_msg') && on('auto_reply'))
		found.push(warning(_('Auto Reply deletes every received message.'), 'auto_reply'));
	if (inbox.total && inbox.used >= inbox.total)
		found.push(warning(_('The inbox is full: new messages wait on the SIM until some are deleted.'), 'messages'));

	(status.modems || []).forEach(function(modem) {
		if (modem.storage && modem.storage.total > 0 && modem.storage.used >= modem.storage.total)
			found.push(warning(_('The message storage of %s is full: the network holds new messages back.').format(modem.name), 'messages'));
	});

	return found;
}

function drawNotices(data) {
	if (data.error)
		return [ E('div', { 'class': 'alert-message danger' }, [ E('p', {}, [ data.error ]) ]) ];

	return (data.status.config_errors || []).map(function(fault) {
		return E('div', { 'class': 'alert-message warning' }, [
			functionpage.faultLine(Object.assign({ page: fault.section ? functionpage.typeOf(fault.section) : null }, fault), true)
		]);
	}).concat((data.status.warnings || []).map(function(text) {
		return E('div', { 'class': 'alert-message warning' }, [ E('p', {}, [ service.foreign(text) ]) ]);
	}), warnings(data.status));
}

const notices = part.make('div', {}, drawNotices),
      modems = part.make('div', {}, drawModems),
      messages = part.make('div', {}, drawMessages),
      hours = part.make('div', {}, drawChart),
      functions = part.make('div', {}, drawFunctions);

function show(data) {
	notices.show(data.error ? { error: data.error } : {
		status: { config_errors: data.status.config_errors, warnings: data.status.warnings, store: data.status.store, modems: data.status.modems }
	});

	if (data.error)
		return;

	const status = data.status;

	/* It is drawn again when a modem counts as down, though nothing else changes. */
	modems.show((status.modems || []).map(function(modem) {
		return Object.assign({ down: service.modemIsDown(modem) }, modem);
	}));
	messages.show({
		inbox: (status.store || {}).inbox || {},
		queue: status.queue || {},
		oldest: status.oldest,
		failures: data.failures
	});
	hours.show((data.statistics || {}).hours);
	functions.show(status.modules || []);
}

function refresh() {
	return load().then(show);
}

return view.extend({
	handleSave: null,
	handleSaveApply: null,
	handleReset: null,

	load: function() {
		return Promise.all([ load(), L.resolveDefault(uci.load('sms_gateway')) ]);
	},

	render: function(loaded) {
		show(loaded[0]);
		poll.add(refresh, 5);

		return E('div', { 'class': 'cbi-map' }, [
			style.node(),
			E('h2', { 'name': 'content' }, [ _('SMS Gateway') ]),
			notices.node,
			section(_('Modems'), modems.node),
			section(_('Messages'), messages.node),
			section(_('Last 24 hours'), hours.node),
			section(_('Functions'), functions.node)
		]);
	}
});
