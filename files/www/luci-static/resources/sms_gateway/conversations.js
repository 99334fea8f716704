'use strict';
'require baseclass';
'require dom';
'require ui';
'require sms_gateway.compose as compose';
'require sms_gateway.part as part';
'require sms_gateway.service as service';

/* Messages by the number that they are exchanged with: a list of people beside one thread. */

/* Messages that a look fetches; older ones are loaded by hand. */
const PAGE = 100;

/* What a person can do with an outgoing message of a state. */
const retryable = [ 'failed', 'undelivered', 'expired', 'unknown', 'cancelled' ];

/* Senders with a name cannot be answered. */
function answerable(number) {
	return /^\+?[0-9*#]+$/.test(number);
}

function snippet(message) {
	const text = message.text || (message.data ? _('binary message') : '');

	return text.length > 80 ? text.slice(0, 80) + '…' : text;
}

function bodyOf(message) {
	if (message.text)
		return service.foreign(message.text);

	return E('em', {}, [ message.data ? _('binary message: %s').format(message.data)
		: message.notice ? _('notice of the network') : _('without text') ]);
}

return baseclass.extend({
	__init__: function() {
		const self = this;

		this.known = new Map();
		this.older = null;
		this.threads = new Map();
		this.chosen = null;
		this.search = '';
		this.drawn = null;

		this.people = part.make('nav', { 'class': 'sg-people', 'aria-label': _('Conversations') }, function(list) {
			return self.drawPeople(list);
		});
		this.bubbles = part.make('div', { 'class': 'sg-bubbles', 'tabindex': '0', 'role': 'log', 'aria-label': _('Messages') }, function(thread) {
			return self.drawBubbles(thread);
		});
		this.thread = E('section', { 'class': 'sg-thread', 'aria-label': _('Conversation') }, []);
	},

	/* about: { modems, groups }. */
	render: function(about) {
		const self = this,
		      search = E('input', {
			'type': 'search', 'class': 'cbi-input-text', 'placeholder': _('Search'), 'aria-label': _('Search conversations'),
			'input': function(ev) {
				self.search = ev.currentTarget.value.toLowerCase();
				self.show();
			}
		      });

		this.about = about;
		this.box = E('div', { 'class': 'sg-talk' }, [ this.people.node, this.thread ]);
		this.tools = E('div', { 'class': 'sg-tools' }, [
			search,
			E('button', {
				'type': 'button',
				'class': 'btn cbi-button cbi-button-add sg-end',
				'disabled': service.may() ? null : true,
				'click': function() { self.write(); }
			}, [ _('New message') ])
		]);
		this.choose(null);

		return E('div', {}, [ this.tools, this.box ]);
	},

	write: function(number) {
		const self = this;

		compose.open(Object.assign({ number: number }, this.about), function(result, to) {
			return self.refresh().then(function() {
				self.hurry();

				/* The service may write the number in another form. */
				const message = self.known.get(result.id);

				if (to != null && message)
					self.choose(message.number);
			});
		});
	},

	/* Takes what the newest page says; what it should hold and does not is gone. */
	merge: function(messages, whole, number) {
		const ids = {},
		      lowest = whole || messages.length == 0 ? 0 : messages.reduce(function(least, message) {
			return Math.min(least, message.id);
		      }, Infinity);

		messages.forEach(function(message) {
			ids[message.id] = true;
			this.known.set(message.id, message);
		}, this);

		Array.from(this.known.values()).forEach(function(message) {
			if (message.id >= lowest && !ids[message.id] && (number == null || message.number == number))
				this.known.delete(message.id);
		}, this);
	},

	refresh: function() {
		const self = this;

		return service.list({ order: 'newest', limit: PAGE }).then(function(page) {
			self.merge(page.messages || [], !page.cursor, null);
			if (self.older == null)
				self.older = page.cursor || '';
			self.fault = null;
			self.show();
		}).catch(function(error) {
			self.fault = error.message;
			self.show();
		});
	},

	/* Looks more often for a while: a message has just been sent. Not needed where the service says what happened. */
	hurry: function() {
		const self = this;
		let left = 20;

		if (this.timer != null)
			window.clearInterval(this.timer);

		this.timer = window.setInterval(function() {
			if (--left == 0) {
				window.clearInterval(self.timer);
				self.timer = null;
			}
			self.refresh();
		}, 1500);
	},

	grouped: function() {
		const groups = new Map();

		this.known.forEach(function(message) {
			const key = message.number || '',
			      group = groups.get(key) || { number: key, last: message, unread: 0, all: [] };

			if (message.id > group.last.id)
				group.last = message;
			if (message.state == 'unread')
				group.unread++;
			group.all.push(message);
			groups.set(key, group);
		});

		return Array.from(groups.values()).sort(function(a, b) { return b.last.id - a.last.id; });
	},

	show: function() {
		const groups = this.grouped(),
		      search = this.search,
		      found = groups.filter(function(group) {
			return search === '' || group.number.toLowerCase().indexOf(search) != -1 || group.all.some(function(message) {
				return (message.text || '').toLowerCase().indexOf(search) != -1;
			});
		      });

		this.people.show({
			fault: this.fault || null,
			search: search,
			chosen: this.chosen,
			more: !!this.older,
			list: found.map(function(group) {
				return {
					number: group.number, unread: group.unread, own: group.last.box == 'outbox', state: group.last.state,
					time: group.last.time, text: snippet(group.last)
				};
			})
		});

		if (this.chosen != null)
			this.showThread(groups.filter(function(group) { return group.number == this.chosen; }, this)[0]);
	},

	drawPeople: function(data) {
		const self = this;

		if (data.list.length == 0)
			return [ E('div', { 'class': 'sg-empty' }, [
				data.fault ? data.fault
					: data.search !== '' ? _('No message of the loaded ones matches.')
					: _('There are no messages yet. Received messages appear here by themselves; write the first with “New message”.')
			]) ].concat(this.moreButton(data));

		return data.list.map(function(person) {
			return E('button', {
				'type': 'button',
				'class': 'sg-person',
				'data-key': 'person ' + person.number,
				'aria-current': person.number == data.chosen ? 'true' : null,
				'click': function() { self.choose(person.number); }
			}, [
				E('span', {}, [
					E('bdi', { 'class': 'sg-name' }, [ person.number || _('unknown sender') ]),
					E('small', {}, [ service.time(person.time) ])
				]),
				E('span', {}, [
					E('bdi', { 'class': 'sg-muted' }, [ (person.own ? _('You:') + ' ' : '') + person.text ]),
					person.unread ? E('span', {
						'class': 'sg-count',
						'role': 'img',
						'aria-label': N_(person.unread, '%d unread', '%d unread').format(person.unread)
					}, [ String(person.unread) ])
						: person.own && retryable.indexOf(person.state) != -1 ? service.messageState(person.state) : ''
				])
			]);
		}).concat(this.moreButton(data));
	},

	moreButton: function(data) {
		const self = this;

		return data.more ? [ E('div', { 'class': 'sg-empty' }, [ E('button', {
			'type': 'button',
			'class': 'btn cbi-button',
			'data-key': 'older',
			'click': ui.createHandlerFn(this, function() {
				return service.list({ order: 'newest', limit: PAGE, cursor: self.older }).then(function(page) {
					(page.messages || []).forEach(function(message) { self.known.set(message.id, message); });
					self.older = page.cursor || '';
					self.show();
				}).catch(service.complain);
			})
		}, [ _('Load older') ]) ]) ] : [];
	},

	choose: function(number) {
		const self = this;

		this.chosen = number;
		this.box.classList.toggle('open', number != null);
		this.tools.classList.toggle('open', number != null);

		if (number == null) {
			dom.content(this.thread, [ E('div', { 'class': 'sg-empty' }, [ _('Choose a conversation.') ]) ]);
			if (this.known.size)
				this.show();

			return;
		}

		dom.content(this.thread, [
			E('div', { 'class': 'sg-thread-head' }, [
				E('button', {
					'type': 'button',
					'class': 'btn cbi-button sg-only-narrow',
					'click': function() { self.choose(null); }
				}, [ _('Back') ]),
				E('strong', {}, [ E('bdi', {}, [ number || _('unknown sender') ]) ]),
				E('button', {
					'type': 'button',
					'class': 'btn cbi-button cbi-button-remove',
					'disabled': service.may() ? null : true,
					'click': function() { self.removeThread(number); }
				}, [ _('Delete') ])
			]),
			this.bubbles.node,
			answerable(number)
				? compose.reply(number, function() { return self.refresh().then(function() { self.hurry(); }); })
				: E('div', { 'class': 'sg-compose sg-muted' }, [ _('This sender has a name and no number, and cannot be answered.') ])
		]);

		this.bubbles.forget();
		this.show();
		this.bubbles.node.scrollTop = this.bubbles.node.scrollHeight;

		if (!this.threads.has(number))
			this.loadThread(number);
	},

	/* Older messages of one number, beyond those that are loaded of all. */
	loadThread: function(number) {
		const self = this,
		      cursor = this.threads.get(number);

		return service.list({ order: 'newest', limit: PAGE, number: number, cursor: cursor || undefined }).then(function(page) {
			(page.messages || []).forEach(function(message) { self.known.set(message.id, message); });
			self.threads.set(number, page.cursor || '');
			self.show();
		}).catch(service.complain);
	},

	showThread: function(group) {
		const node = this.bubbles.node,
		      atEnd = node.scrollHeight - node.scrollTop - node.clientHeight < 40,
		      messages = group ? group.all.sort(function(a, b) { return a.id - b.id; }) : [],
		      unread = messages.filter(function(message) { return message.state == 'unread'; });

		if (this.bubbles.show({ number: this.chosen, more: !!this.threads.get(this.chosen), messages: messages }) && atEnd)
			node.scrollTop = node.scrollHeight;

		/* Seen is read, by those who may say so. */
		if (unread.length && service.may() && !document.hidden && !this.marking) {
			const self = this;

			this.marking = true;
			Promise.all(unread.slice(0, 50).map(function(message) { return service.read({ id: message.id }); })).then(function() {
				self.marking = false;
				return self.refresh();
			}).catch(function() {
				self.marking = false;
			});
		}
	},

	drawBubbles: function(data) {
		const self = this,
		      nodes = [];
		let day = null;

		if (data.more)
			nodes.push(E('div', { 'class': 'sg-day' }, [ E('button', {
				'type': 'button',
				'class': 'btn cbi-button',
				'data-key': 'older thread',
				'click': ui.createHandlerFn(this, function() { return self.loadThread(data.number); })
			}, [ _('Load older') ]) ]));

		data.messages.forEach(function(message) {
			const date = new Date(message.time),
			      today = date.toLocaleDateString(service.locale(),
				{ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });

			if (today != day)
				nodes.push(E('div', { 'class': 'sg-day' }, [ today ]));
			day = today;
			nodes.push(self.bubble(message));
		});

		return nodes.length ? nodes : [ E('div', { 'class': 'sg-empty' }, [ _('There is no message to show here any more.') ]) ];
	},

	bubble: function(message) {
		const own = message.box == 'outbox',
		      bad = own && retryable.indexOf(message.state) != -1 && message.state != 'cancelled';

		return E('div', { 'class': 'sg-bubble' + (own ? ' out' : '') + (bad ? ' bad' : ''), 'data-id': message.id }, [
			bodyOf(message),
			message.missing ? E('div', { 'class': 'sg-fault' }, [
				N_(message.missing, '%d part is missing.', '%d parts are missing.').format(message.missing) ]) : '',
			message.error ? E('div', { 'class': 'sg-fault' }, [ service.foreign(message.error) ]) : '',
			E('div', { 'class': 'sg-meta' }, [
				E('time', { 'datetime': message.time, 'title': service.fullTime(message.time) }, [
					service.clock(message.time)
				]),
				own ? service.messageState(message.state) : '',
				message.modem ? E('span', {}, [ message.modem ]) : '',
				message.parts > 1 ? E('span', {}, [ '%d SMS'.format(message.parts) ]) : ''
			].concat(this.actions(message)))
		]);
	},

	actions: function(message) {
		const own = message.box == 'outbox',
		      found = [];

		if (!service.may())
			return found;

		if (own && retryable.indexOf(message.state) != -1)
			found.push(this.action(message, _('Retry'), service.retry));
		if (own && (message.state == 'queued' || message.state == 'sending'))
			found.push(this.action(message, _('Cancel'), service.cancel));
		else
			found.push(this.action(message, _('Delete'), service.remove));

		return found;
	},

	action: function(message, label, call) {
		const self = this;

		return E('button', {
			'type': 'button',
			'class': 'sg-link',
			'data-key': label + message.id,
			'click': function() {
				return call({ id: message.id }).then(function() {
					self.hurry();

					return self.refresh();
				}).catch(service.complain);
			}
		}, [ label ]);
	},

	removeThread: function(number) {
		const self = this;

		ui.showModal(_('Delete the conversation?'), [
			E('p', {}, [ _('All messages from and to this number are deleted, also those that are not loaded.') ]),
			E('p', {}, [ E('strong', {}, [ E('bdi', {}, [ number ]) ]) ]),
			E('div', { 'class': 'right button-row' }, [
				E('button', { 'type': 'button', 'class': 'btn cbi-button', 'click': ui.hideModal }, [ _('Cancel') ]),
				' ',
				E('button', {
					'type': 'button',
					'class': 'btn cbi-button cbi-button-negative important',
					'click': ui.createHandlerFn(this, function() {
						return self.removeAll(number).then(function() {
							self.threads.delete(number);
							self.choose(null);

							return self.refresh();
						}).catch(service.complain).then(ui.hideModal);
					})
				}, [ _('Delete') ])
			])
		]);
	},

	/* One page after the other, until there are no more. A message that is being sent stays. */
	removeAll: function(number) {
		const self = this;

		return service.list({ number: number, limit: PAGE }).then(function(page) {
			const messages = (page.messages || []).filter(function(message) { return message.state != 'sending'; });

			if (messages.length == 0)
				return;

			return Promise.all(messages.map(function(message) {
				return service.remove({ id: message.id }).then(function() { self.known.delete(message.id); });
			})).then(function() {
				return self.removeAll(number);
			});
		});
	}
});
