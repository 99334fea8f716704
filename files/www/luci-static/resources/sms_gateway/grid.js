'use strict';
'require baseclass';
'require dom';
'require uci';

/* What the grids of all pages need beyond those of LuCI. */

/* Sections that the service knows by their name, whatever their type: also those that the file does not have. */
const singles = [
	'gateway', 'post_get', 'pop3', 'auto_reply', 'forwarding_to_http', 'forwarding_to_sms', 'forwarding_to_smtp', 'smpp', 'mqtt'
];

function isTaken(section, name) {
	return uci.get('sms_gateway', name) != null || singles.indexOf(name) != -1 ||
		section.cfgsections().some(function(section_id) { return section.titleFn('sectiontitle', section_id) == name; });
}

/* rpcd writes a new section over the one that has its name. */
function uniqueNames(section) {
	const add = section.handleAdd,
	      fault = E('div', { 'class': 'cbi-value-fault sg-fault', 'role': 'alert' });

	function clear() {
		fault.textContent = '';
	}

	section.handleAdd = function(ev, name) {
		clear();

		if (this.anonymous || !isTaken(this, name))
			return add.apply(this, arguments);

		const row = ev.target.closest('.cbi-section-create');

		row.appendChild(fault);
		row.addEventListener('input', clear);
		fault.textContent = _('The name %s is taken. Choose another one.').format(name);
		row.querySelector('input').focus();

		return Promise.resolve();
	};
}

/* LuCI keeps the dialogue open without a word. Faults of fields are at the fields. */
function saidFailures(section) {
	const save = section.handleModalSave;

	section.handleModalSave = function(map) {
		const fault = E('div', { 'class': 'alert-message danger', 'role': 'alert' }),
		      saveMap = map.save;

		map.save = function() {
			return saveMap.apply(this, arguments).catch(function(error) {
				if (!map.root.querySelector('.cbi-input-invalid')) {
					dom.content(fault, [ E('p', {}, [
						_('This could not be saved: %s').format(String(error.message || error).split('\n')[0])
					]) ]);
					map.root.parentNode.insertBefore(fault, map.root.nextSibling);
					fault.scrollIntoView({ block: 'nearest' });
				}

				throw error;
			});
		};

		return Promise.resolve(save.apply(this, arguments)).finally(function() {
			map.save = saveMap;
		});
	};
}

/* A word as long as a URL breaks anywhere: else its row is wider than the page, and its buttons are out of sight. */
function longWords(option) {
	const text = option.textvalue;

	option.textvalue = function() {
		const shown = text.apply(this, arguments);

		/* A text of LuCI's own is markup already. */
		return (/\S{25}/).test(dom.elem(shown) ? shown.textContent : shown)
			? E('span', { 'class': 'sg-long' }, dom.elem(shown) ? [ shown ] : shown)
			: shown;
	};
}

return baseclass.extend({
	singles: singles,

	prepare: function(section) {
		uniqueNames(section);
		saidFailures(section);
		section.children.filter(function(option) { return !option.modalonly; }).forEach(longWords);
	}
});
