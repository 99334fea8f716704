'use strict';
'require baseclass';
'require ui';
'require sms_gateway.service as service';

/* Codes such as *100# and what the network answers. */
return baseclass.extend({
	/* modems: their names. */
	render: function(modems) {
		const modem = E('select', { 'class': 'cbi-input-select', 'aria-label': _('Modem') }, modems.map(function(name) {
			return E('option', { 'value': name }, [ name ]);
		      })),
		      code = E('input', {
			'type': 'text', 'class': 'cbi-input-text', 'aria-label': _('USSD code'), 'placeholder': '*100#',
			'autocomplete': 'off', 'inputmode': 'tel', 'disabled': service.may() ? null : true
		      }),
		      lines = E('div', { 'class': 'sg-dialogue', 'role': 'log', 'aria-label': _('Answers') });

		function say(text, own, bad) {
			lines.appendChild(E('div', { 'class': 'sg-bubble' + (own ? ' out' : '') + (bad ? ' bad' : '') }, [ service.foreign(text) ]));
			lines.lastElementChild.scrollIntoView({ block: 'nearest' });
		}

		const button = E('button', {
			'type': 'button',
			'class': 'btn cbi-button cbi-button-positive important',
			'disabled': service.may() ? null : true,
			'click': ui.createHandlerFn(this, function() {
				const text = code.value.trim();

				if (text === '') {
					code.focus();
					return Promise.resolve();
				}

				say(text, true);

				return service.ussd({ modem: modem.value, code: text }).then(function(result) {
					code.value = '';
					say(result.answer || _('The network answered without a text.'));
				}).catch(function(error) {
					say(error.message, false, true);
				}).then(function() {
					code.focus();
				});
			})
		}, [ _('Send') ]);

		code.addEventListener('keydown', function(ev) {
			if (ev.key == 'Enter') {
				ev.preventDefault();
				button.click();
			}
		});

		return E('div', {}, [
			E('p', {}, [ _('A code such as *100# asks the network, for instance for the balance of a prepaid card. When the answer offers a choice, enter its number.') ]),
			modems.length
				? E('div', { 'class': 'sg-tools' }, [ modem, E('span', { 'class': 'sg-add' }, [ code, button ]) ])
				: E('p', {}, [ _('There is no modem in the configuration.') ]),
			lines
		]);
	}
});
