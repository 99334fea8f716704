'use strict';
'require baseclass';
'require form';
'require uci';

/* A grid whose Add asks for the most important value first, as the original does. */
return baseclass.extend({
	/* about: { option, label, placeholder, button, check(value) → true|text, values: { option: value } } */
	to: function(section, about) {
		let first = null;

		section.addremove = true;
		section.anonymous = true;

		section.renderSectionAdd = function() {
			if (this.map.readonly)
				return E('div');

			const self = this,
			      fault = E('div', { 'class': 'cbi-value-fault sg-fault', 'role': 'alert' }),
			      input = E('input', {
				'type': 'text',
				'class': 'cbi-input-text',
				'aria-label': about.label,
				'placeholder': about.placeholder
			      });

			function add(ev) {
				const value = input.value.trim(),
				      verdict = value === '' ? _('%s: enter it first.').format(about.label) : about.check(value);

				fault.textContent = verdict === true ? '' : verdict;

				if (verdict !== true) {
					input.focus();
					return Promise.resolve();
				}

				first = value;

				return self.handleAdd(ev);
			}

			const button = E('button', {
				'type': 'button',
				'class': 'btn cbi-button cbi-button-add',
				'click': L.ui.createHandlerFn(this, add)
			}, [ about.button ]);

			input.addEventListener('keydown', function(ev) {
				if (ev.key == 'Enter') {
					ev.preventDefault();
					button.click();
				}
			});

			return E('div', { 'class': 'cbi-section-create' }, [ E('div', { 'class': 'sg-add' }, [ input, button ]), fault ]);
		};

		section.addModalOptions = function(modalSection, section_id) {
			if (first == null)
				return;

			const values = Object.assign({}, about.values);

			values[about.option] = first;
			first = null;

			for (let name in values)
				uci.set('sms_gateway', section_id, name, values[name]);
		};
	}
});
