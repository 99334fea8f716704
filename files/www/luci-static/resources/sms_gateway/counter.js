'use strict';
'require baseclass';
'require sms_gateway.service as service';

/* TS 23.038 6.2.1 and 6.2.1.1: what fits into septets. Only to name the character that does not. */
const gsm = '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà\f^{}\\[~]|€';

/* Typing pauses for so long before the service is asked, ms. */
const PAUSE = 150;

function words(text, split, recipients) {
	const parts = [ N_(split.parts, '%d SMS', '%d SMS').format(split.parts) ];

	if (recipients > 1)
		parts[0] = _('%d SMS to each of %d numbers: %d').format(split.parts, recipients, split.parts * recipients);

	parts.push(N_(split.remaining, '%d character left', '%d characters left').format(split.remaining));

	if (split.encoding == 'ucs2') {
		const odd = Array.from(text).filter(function(character) { return gsm.indexOf(character) == -1; })[0];

		parts.push(odd
			? _('Unicode because of “%s”: 70 characters in an SMS').format(odd)
			: _('Unicode: 70 characters in an SMS'));
	}

	return parts.join(' · ');
}

return baseclass.extend({
	/* A line that says how the text of a field is sent. text() and recipients() are asked when update() is called. */
	make: function(text, recipients) {
		const node = E('div', { 'class': 'sg-counter', 'aria-live': 'polite' }, [ '\u00a0' ]);
		let timer = null,
		    asked = null;

		function ask() {
			const now = text();

			timer = null;

			if (now === '') {
				asked = now;
				node.textContent = '\u00a0';
				return;
			}

			asked = now;
			service.segments({ text: now }).then(function(split) {
				/* An answer to what is no longer there. */
				if (asked === now)
					node.textContent = words(now, split, recipients ? recipients() : 1);
			}).catch(function(error) {
				if (asked === now)
					node.textContent = error.message;
			});
		}

		return {
			node: node,
			update: function() {
				if (timer != null)
					window.clearTimeout(timer);
				timer = window.setTimeout(ask, PAUSE);
			}
		};
	},

	/* Puts the line under the field of a form's option. */
	attach: function(option) {
		const before = option.renderWidget,
		      self = this;

		option.renderWidget = function() {
			const node = before.apply(this, arguments),
			      area = node.querySelector('textarea'),
			      line = self.make(function() { return area.value; });

			area.addEventListener('input', line.update);
			node.appendChild(line.node);
			if (area.value !== '')
				line.update();

			return node;
		};

		return option;
	}
});
