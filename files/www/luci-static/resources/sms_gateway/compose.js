'use strict';
'require baseclass';
'require ui';
'require sms_gateway.counter as counter';
'require sms_gateway.fields as fields';
'require sms_gateway.service as service';

/* Writing a message: the reply line of a conversation, and the dialogue for a new message. */

/* The same text twice is meant; the same click twice is not. */
function reference() {
	return 'page-' + Date.now().toString(36) + '-' + Math.floor(Math.random() * 1e9).toString(36);
}

function hint(text) {
	return E('div', { 'class': 'cbi-value-description' }, [ text ]);
}

/* Ctrl and Enter, as in other messengers. */
function sendOnEnter(area, button) {
	area.addEventListener('keydown', function(ev) {
		if (ev.key == 'Enter' && (ev.ctrlKey || ev.metaKey)) {
			ev.preventDefault();
			button.click();
		}
	});
}

function check(label, box) {
	return E('label', { 'class': 'sg-check' }, [ box, label ]);
}

return baseclass.extend({
	/* A reply to one number. sent(result) is called when the service has taken the message. Keeps the text until then. */
	reply: function(number, sent) {
		const area = E('textarea', {
			'class': 'cbi-input-textarea',
			'rows': 2,
			'aria-label': _('Message text'),
			'placeholder': _('Write a message'),
			'disabled': service.may() ? null : true
		      }),
		      fault = E('div', { 'class': 'sg-fault', 'role': 'alert' }),
		      line = counter.make(function() { return area.value; });

		const button = E('button', {
			'type': 'button',
			'class': 'btn cbi-button cbi-button-positive important',
			'disabled': service.may() ? null : true,
			'click': ui.createHandlerFn(this, function() {
				fault.textContent = '';

				if (area.value.trim() === '') {
					area.focus();
					return Promise.resolve();
				}

				return service.send({ number: number, text: area.value, client_ref: reference() }).then(function(result) {
					area.value = '';
					line.update();
					area.focus();

					return sent(result);
				}).catch(function(error) {
					fault.textContent = error.message;
				});
			})
		}, [ _('Send') ]);

		area.addEventListener('input', line.update);
		sendOnEnter(area, button);

		return E('div', { 'class': 'sg-compose' }, [
			area,
			fault,
			E('div', { 'class': 'sg-compose-row' }, [ line.node, E('span', { 'class': 'sg-end' }, [ button ]) ])
		]);
	},

	/* The dialogue. about: { modems, groups, number }; sent(result, number). */
	open: function(about, sent) {
		const to = E('input', {
			'type': 'text', 'class': 'cbi-input-text', 'id': 'sg-to', 'value': about.number || '',
			'placeholder': '+37060000001', 'autocomplete': 'off', 'inputmode': 'tel'
		      }),
		      group = E('select', { 'class': 'cbi-input-select', 'id': 'sg-group' }, [
			E('option', { 'value': '' }, [ _('one number') ])
		      ].concat(about.groups.map(function(section) {
			return E('option', { 'value': section.name }, [ _('group %s').format(section.name) ]);
		      }))),
		      area = E('textarea', { 'class': 'cbi-input-textarea', 'rows': 4, 'id': 'sg-text' }),
		      modem = E('select', { 'class': 'cbi-input-select', 'id': 'sg-modem' }, [
			E('option', { 'value': '' }, [ _('any') ])
		      ].concat(about.modems.map(function(name) {
			return E('option', { 'value': name }, [ name ]);
		      }))),
		      priority = E('select', { 'class': 'cbi-input-select', 'id': 'sg-priority' }, [
			E('option', { 'value': '0' }, [ _('low') ]),
			E('option', { 'value': '1', 'selected': '' }, [ _('normal') ]),
			E('option', { 'value': '2' }, [ _('high') ]),
			E('option', { 'value': '3' }, [ _('alarm') ])
		      ]),
		      flash = E('input', { 'type': 'checkbox' }),
		      report = E('select', { 'class': 'cbi-input-select', 'id': 'sg-report' }, [
			E('option', { 'value': '' }, [ _('as the modem is set') ]),
			E('option', { 'value': '1' }, [ _('yes') ]),
			E('option', { 'value': '0' }, [ _('no') ])
		      ]),
		      later = E('input', { 'type': 'datetime-local', 'class': 'cbi-input-text', 'id': 'sg-later' }),
		      fault = E('div', { 'class': 'sg-fault', 'role': 'alert' }),
		      toRow = E('label', { 'for': 'sg-to' }, [ _('Phone number'), to ]);

		function members() {
			const chosen = about.groups.filter(function(section) { return section.name == group.value; })[0];

			return chosen ? L.toArray(chosen.tel).length : 1;
		}

		const line = counter.make(function() { return area.value; }, members);

		group.addEventListener('change', function() {
			toRow.classList.toggle('hidden', group.value !== '');
			line.update();
		});
		area.addEventListener('input', line.update);

		function refuse(text, field) {
			fault.textContent = text;
			field.focus();

			return Promise.resolve();
		}

		const button = E('button', {
			'type': 'button',
			'class': 'btn cbi-button cbi-button-positive important',
			'click': ui.createHandlerFn(this, function() {
				const number = to.value.trim();

				fault.textContent = '';

				if (group.value === '' && !fields.isPhone(number))
					return refuse(_('Expecting: %s').format(_('a phone number such as +37060000001')), to);
				if (area.value === '')
					return refuse(_('Write a message first.'), area);
				if (later.value !== '' && !(new Date(later.value) > new Date()))
					return refuse(_('The time to send at is over.'), later);

				return service.send({
					number: group.value === '' ? number : undefined,
					group: group.value === '' ? undefined : group.value,
					text: area.value,
					modem: modem.value || undefined,
					priority: +priority.value,
					flash: flash.checked || undefined,
					report: report.value === '' ? undefined : report.value == '1',
					not_before: later.value === '' ? undefined : new Date(later.value).toISOString(),
					client_ref: reference()
				}).then(function(result) {
					ui.hideModal();

					return sent(result, group.value === '' ? number : null);
				}).catch(function(error) {
					fault.textContent = error.message;
				});
			})
		}, [ _('Send') ]);

		sendOnEnter(area, button);

		ui.showModal(_('New message'), [
			E('div', { 'class': 'sg-form' }, [
				about.groups.length ? E('label', { 'for': 'sg-group' }, [ _('To'), group ]) : '',
				toRow,
				E('label', { 'for': 'sg-text' }, [ _('Message text'), area ]),
				line.node,
				E('details', {}, [
					E('summary', {}, [ _('More') ]),
					E('div', { 'class': 'sg-form', 'style': 'margin-top:.8em' }, [
						E('div', { 'class': 'sg-pair' }, [
							E('label', { 'for': 'sg-modem' }, [ _('Modem'), modem ]),
							E('label', { 'for': 'sg-priority' }, [ _('Priority'), priority ])
						]),
						E('div', { 'class': 'sg-pair' }, [
							E('label', { 'for': 'sg-report' }, [ _('Delivery report'), report ]),
							E('label', { 'for': 'sg-later' }, [ _('Send later, at'), later ])
						]),
						E('div', {}, [
							check(_('Flash message'), flash),
							hint(_('Shown at once on the phone, and not stored there.'))
						])
					])
				]),
				fault
			]),
			E('div', { 'class': 'right button-row' }, [
				E('button', { 'type': 'button', 'class': 'btn cbi-button', 'click': ui.hideModal }, [ _('Cancel') ]),
				' ',
				button
			])
		]);

		(about.number ? area : to).focus();
	}
});
