'use strict';
'require view';
'require dom';
'require poll';
'require rpc';

var callStatus = rpc.declare({
	object: 'sms_gateway',
	method: 'status',
	reject: true
});

var modemStates = {
	ready: _('ready'),
	opening: _('opening the port'),
	probing: _('looking for a modem'),
	pin: _('unlocking the SIM'),
	registering: _('registering on the network'),
	failed: _('failed')
};

var moduleStates = {
	running: _('running'),
	starting: _('starting'),
	stopped: _('stopped'),
	failed: _('failed'),
	disabled: _('off')
};

function badge(state, words) {
	var kind = state == 'ready' || state == 'running' ? 'label success' :
		state == 'failed' ? 'label important danger error' :
		state == 'stopped' || state == 'disabled' ? 'label' : 'label warning';
	return E('span', { 'class': kind }, [ words[state] || state ]);
}

function section(title, children) {
	return E('div', { 'class': 'cbi-section' }, [ E('h3', {}, [ title ]) ].concat(children));
}

function table(titles, rows, empty) {
	return E('table', { 'class': 'table' }, [
		E('tr', { 'class': 'tr table-titles' }, titles.map(function(title) {
			return E('th', { 'class': 'th' }, [ title ]);
		}))
	].concat(rows.length ? rows.map(function(cells) {
		return E('tr', { 'class': 'tr' }, cells.map(function(cell, i) {
			return E('td', { 'class': 'td', 'data-title': titles[i] }, [ cell ]);
		}));
	}) : [ E('tr', { 'class': 'tr placeholder' }, [ E('td', { 'class': 'td', 'colspan': titles.length }, [ empty ]) ]) ]));
}

return view.extend({
	handleSave: null,
	handleSaveApply: null,
	handleReset: null,

	load: function() {
		return callStatus();
	},

	draw: function(status) {
		var queue = status.queue || {},
		    inbox = (status.store && status.store.inbox) || {};

		return [
			section(_('Modems'), [ table([ _('Modem'), _('State'), _('Operator'), _('Signal') ],
				(status.modems || []).map(function(modem) {
					return [ modem.name, badge(modem.state, modemStates), modem.operator || '–',
						modem.signal != null ? '%d dBm'.format(modem.signal) : '–' ];
				}), _('There is no modem.')) ]),
			section(_('Messages'), [ table([ _('Inbox'), _('Unread'), _('Queued'), _('Failed') ], [
				[ '%d / %d'.format(inbox.used || 0, inbox.total || 0), String(inbox.unread || 0),
					String(queue.queued || 0), String(queue.failed || 0) ]
			], '') ]),
			section(_('Functions'), [ table([ _('Function'), _('State'), _('Pending'), _('Last error') ],
				(status.modules || []).map(function(module) {
					return [ module.name, badge(module.enabled ? module.state : 'disabled', moduleStates),
						String(module.pending || 0), module.error || '–' ];
				}), '') ])
		];
	},

	render: function(status) {
		var self = this,
		    node = E('div', {}, this.draw(status));

		poll.add(function() {
			return callStatus().then(function(next) {
				dom.content(node, self.draw(next));
			});
		});

		return E('div', { 'class': 'cbi-map' }, [
			E('h2', {}, [ _('Overview') ]),
			node
		]);
	}
});
