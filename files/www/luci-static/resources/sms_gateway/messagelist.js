'use strict';
'require baseclass';
'require dom';
'require ui';
'require sms_gateway.part as part';
'require sms_gateway.service as service';

/* One box as a table: search, filter by state, paging, deletion of many, export. */

const PAGE = 50;
/* Messages of one call while exporting. */
const EXPORT_PAGE = 500;

const boxes = {
	inbox: {
		states: [ 'unread', 'read' ],
		peer: _('Sender'),
		empty: _('The inbox is empty. Received messages appear here by themselves.')
	},
	outbox: {
		states: [ 'queued', 'sending', 'sent', 'delivered', 'undelivered', 'expired', 'failed', 'unknown', 'cancelled' ],
		peer: _('Recipient'),
		empty: _('The outbox is empty. Whatever the gateway sends is listed here with what became of it.')
	}
};

const retryable = [ 'failed', 'undelivered', 'expired', 'unknown', 'cancelled' ];

/* RFC 4180. A text that a spreadsheet would take for a formula is marked as text. */
function cell(value) {
	const text = String(value == null ? '' : value),
	      safe = text.charAt(0) == '=' || text.charAt(0) == '@' || text.charAt(0) == '-' || text.charAt(0) == '\t' ||
		(text.charAt(0) == '+' && !/^\+[0-9]+$/.test(text)) ? '\'' + text : text;

	return '"' + safe.split('"').join('""') + '"';
}

function save(name, text) {
	const url = window.URL.createObjectURL(new Blob([ '\ufeff', text ], { type: 'text/csv;charset=utf-8' })),
	      link = E('a', { 'href': url, 'download': name });

	document.body.appendChild(link);
	link.click();
	link.remove();
	window.setTimeout(function() { window.URL.revokeObjectURL(url); }, 10000);
}

const MessageList = baseclass.extend({
	__init__: function(box) {
		const self = this;

		this.box = box;
		this.about = boxes[box];
		this.picked = {};
		this.messages = [];
		this.cursor = null;
		this.query = {};
		this.table = part.make('div', {}, function(data) { return self.draw(data); });
	},

	render: function() {
		const self = this,
		      search = E('input', { 'type': 'search', 'class': 'cbi-input-text', 'placeholder': _('Number or text'), 'aria-label': _('Search') }),
		      state = E('select', { 'class': 'cbi-input-select', 'aria-label': _('State') }, [
			E('option', { 'value': '' }, [ _('all states') ])
		      ].concat(this.about.states.map(function(name) {
			return E('option', { 'value': name }, [ service.messageStates[name] ]);
		      })));
		let timer = null;

		function ask() {
			const text = search.value.trim();

			self.query = { state: state.value || undefined };
			if (text !== '')
				self.query[/^[+0-9][0-9 ()\/.-]{3,}$/.test(text) ? 'number' : 'text'] = text;
			self.picked = {};
			self.shown = PAGE;
			self.refresh();
		}

		search.addEventListener('input', function() {
			window.clearTimeout(timer);
			timer = window.setTimeout(ask, 250);
		});
		state.addEventListener('change', ask);

		this.tools = part.make('span', { 'class': 'sg-tools', 'style': 'margin:0' }, function(data) { return self.drawTools(data); });
		this.tools.show({ picked: 0, unread: 0 });

		return E('div', {}, [
			E('div', { 'class': 'sg-tools' }, [
				search,
				state,
				this.tools.node,
				E('button', {
					'type': 'button',
					'class': 'btn cbi-button sg-end',
					'click': ui.createHandlerFn(this, function() { return self.export().catch(service.complain); })
				}, [ _('Export CSV') ])
			]),
			this.table.node
		]);
	},

	list: function(more) {
		return service.list(Object.assign({ box: this.box, order: 'newest' }, this.query, more));
	},

	refresh: function() {
		const self = this,
		      query = this.query;

		return this.list({ limit: Math.min(1000, this.shown || PAGE) }).then(function(page) {
			/* An answer to an earlier search. */
			if (query !== self.query)
				return;

			self.messages = page.messages || [];
			self.cursor = page.cursor || null;
			self.fault = null;
			self.show();
		}).catch(function(error) {
			self.fault = error.message;
			self.show();
		});
	},

	show: function() {
		const ids = {};

		this.messages.forEach(function(message) { ids[message.id] = true; });
		for (let id in this.picked)
			if (!ids[id])
				delete this.picked[id];

		this.table.show({ fault: this.fault || null, messages: this.messages, more: !!this.cursor, query: this.query });
		this.showTools();
	},

	showTools: function() {
		const picked = this.picked;

		this.tools.show({
			picked: Object.keys(picked).length,
			unread: this.messages.filter(function(message) { return picked[message.id] && message.state == 'unread'; }).length
		});
	},

	drawTools: function(data) {
		const self = this;

		if (data.picked == 0 || !service.may())
			return [];

		return [
			data.unread ? E('button', {
				'type': 'button',
				'class': 'btn cbi-button',
				'click': ui.createHandlerFn(this, function(ev) { return self.each(service.read, ev.currentTarget); })
			}, [ _('Mark as read') ]) : '',
			E('button', {
				'type': 'button',
				'class': 'btn cbi-button cbi-button-remove',
				'click': ui.createHandlerFn(this, function(ev, button) { return self.each(service.remove, button || ev.target); })
			}, [ N_(data.picked, 'Delete %d', 'Delete %d').format(data.picked) ])
		];
	},

	/* One after the other, and says how far it is. What fails stays picked. */
	each: function(call, button) {
		const self = this,
		      ids = Object.keys(this.picked),
		      faults = [];

		return ids.reduce(function(before, id, i) {
			return before.then(function() {
				if (button)
					button.textContent = _('%d of %d').format(i + 1, ids.length);

				return call({ id: +id }).then(function() {
					delete self.picked[id];
				}).catch(function(error) {
					faults.push(error.message);
				});
			});
		}, Promise.resolve()).then(function() {
			if (faults.length)
				service.complain(_('%d of %d failed: %s').format(faults.length, ids.length, faults[0]));
			self.table.forget();
			self.tools.forget();

			return self.refresh();
		});
	},

	draw: function(data) {
		const self = this,
		      filtered = data.query.state || data.query.text || data.query.number;

		if (data.messages.length == 0)
			return [ E('p', { 'class': 'sg-empty' }, [ data.fault || (filtered ? _('No message matches.') : this.about.empty) ]) ];

		return [
			data.fault ? E('div', { 'class': 'alert-message warning' }, [ data.fault ]) : '',
			E('table', { 'class': 'table sg-list' }, [ E('tr', { 'class': 'tr table-titles' }, [
				E('th', { 'class': 'th sg-pick' }, [ this.pickAll(data.messages) ]),
				E('th', { 'class': 'th' }, [ _('Time') ]),
				E('th', { 'class': 'th' }, [ this.about.peer ]),
				E('th', { 'class': 'th' }, [ _('Text') ]),
				E('th', { 'class': 'th' }, [ _('State') ]),
				E('th', { 'class': 'th' }, [ _('Modem') ]),
				E('th', { 'class': 'th' }, [ E('span', { 'class': 'sr-only' }, [ _('Actions') ]) ])
			]) ].concat(data.messages.map(function(message) { return self.row(message); }))),
			data.more ? E('div', { 'class': 'center' }, [ E('button', {
				'type': 'button',
				'class': 'btn cbi-button',
				'data-key': 'older',
				'click': ui.createHandlerFn(this, function() {
					self.shown = (self.shown || PAGE) + PAGE;

					return self.shown > 1000 ? self.append() : self.refresh();
				})
			}, [ _('Load older') ]) ]) : ''
		];
	},

	append: function() {
		const self = this;

		return this.list({ limit: PAGE, cursor: this.cursor }).then(function(page) {
			self.messages = self.messages.concat(page.messages || []);
			self.cursor = page.cursor || null;
			self.show();
		}).catch(service.complain);
	},

	pickAll: function(messages) {
		const self = this;

		return E('input', {
			'type': 'checkbox',
			'aria-label': _('Select all shown'),
			'disabled': service.may() ? null : true,
			'change': function(ev) {
				const checked = ev.currentTarget.checked;

				self.picked = {};
				if (checked)
					messages.forEach(function(message) { self.picked[message.id] = true; });
				self.table.node.querySelectorAll('.tr:not(.table-titles) .sg-pick input').forEach(function(box) { box.checked = checked; });
				self.showTools();
			}
		});
	},

	row: function(message) {
		const self = this,
		      box = E('input', {
			'type': 'checkbox',
			'data-key': 'pick ' + message.id,
			'aria-label': _('Select message %d').format(message.id),
			'disabled': service.may() ? null : true,
			'change': function(ev) {
				if (ev.currentTarget.checked)
					self.picked[message.id] = true;
				else
					delete self.picked[message.id];
				self.showTools();
			}
		      });

		box.checked = !!this.picked[message.id];

		return E('tr', { 'class': 'tr', 'data-id': message.id }, [
			E('td', { 'class': 'td sg-pick' }, [ box ]),
			E('td', { 'class': 'td nowrap', 'data-title': _('Time'), 'title': service.fullTime(message.time) }, [ service.time(message.time) ]),
			E('td', { 'class': 'td', 'data-title': this.about.peer }, [ service.number(message.number || _('unknown sender')) ]),
			E('td', { 'class': 'td sg-text', 'data-title': _('Text') }, [
				message.text ? service.foreign(message.text) : E('em', {}, [ message.data || _('without text') ]),
				message.missing ? E('div', { 'class': 'sg-fault' }, [
					N_(message.missing, '%d part is missing.', '%d parts are missing.').format(message.missing) ]) : ''
			]),
			E('td', { 'class': 'td', 'data-title': _('State') }, [
				service.messageState(message.state),
				message.error ? E('div', { 'class': 'sg-fault' }, [ service.foreign(message.error) ]) : ''
			]),
			E('td', { 'class': 'td', 'data-title': _('Modem') }, [ message.modem || '–' ]),
			E('td', { 'class': 'td' }, [ this.actions(message) ])
		]);
	},

	actions: function(message) {
		const self = this,
		      box = E('div', { 'class': 'button-row right' }, []);

		function add(label, kind, call) {
			box.appendChild(E('button', {
				'type': 'button',
				'class': 'btn cbi-button ' + kind,
				'data-key': label + message.id,
				'click': ui.createHandlerFn(self, function() {
					return call({ id: message.id }).catch(service.complain).then(function() { return self.refresh(); });
				})
			}, [ label ]));
		}

		if (!service.may())
			return box;

		if (message.state == 'unread')
			add(_('Mark as read'), 'cbi-button-neutral', service.read);
		if (retryable.indexOf(message.state) != -1)
			add(_('Retry'), 'cbi-button-neutral', service.retry);
		if (message.state == 'queued' || message.state == 'sending')
			add(_('Cancel'), 'cbi-button-neutral', service.cancel);
		else
			add(_('Delete'), 'cbi-button-remove', service.remove);

		return box;
	},

	/* All that match, not only what is shown. */
	export: function() {
		const self = this,
		      names = [ 'id', 'time', 'number', 'text', 'state', 'error', 'modem', 'parts' ],
		      lines = [ names.map(cell).join(',') ];

		function more(cursor) {
			return self.list({ limit: EXPORT_PAGE, cursor: cursor }).then(function(page) {
				(page.messages || []).forEach(function(message) {
					lines.push(names.map(function(name) { return cell(message[name]); }).join(','));
				});

				return page.cursor ? more(page.cursor) : null;
			});
		}

		return more().then(function() {
			save('sms-%s-%s.csv'.format(self.box, new Date().toISOString().slice(0, 10)), lines.join('\r\n') + '\r\n');
		});
	}
});

return baseclass.extend({
	/* The table of `inbox` or `outbox`. */
	make: function(box) {
		return new MessageList(box);
	}
});
