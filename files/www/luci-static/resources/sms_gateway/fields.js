'use strict';
'require baseclass';
'require form';

/*
 * Checks of form fields that LuCI's datatypes do not have, or have otherwise: lengths here count characters, and a
 * number must be whole. The service judges the same values by its own table.
 */

function expect(good, what) {
	return good ? true : _('Expecting: %s').format(what);
}

function plainNumber(value) {
	return String(value).replace(/[\s().\/-]/g, '');
}

function isPhone(value) {
	return /^(\+|00)?[0-9*#]{1,20}$/.test(plainNumber(value)) && /[0-9]/.test(value);
}

function isHost(value) {
	if (/^[0-9.]+$/.test(value))
		return /^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/.test(value);
	if (value.indexOf(':') != -1)
		return /^[0-9A-Fa-f:.]+$/.test(value);

	return value.length <= 253 && /^[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?$/.test(value);
}

function isEmail(value) {
	const address = (/^[^<>]*<\s*([^<>\s]+)\s*>$/.exec(value) || [])[1] || value,
	      at = address.lastIndexOf('@');

	return address.length <= 254 && at > 0 && at <= 64 && address.indexOf('@') == at &&
		!/[\s<>(),;:\\"]/.test(address.slice(0, at)) && isHost(address.slice(at + 1));
}

function isUrl(value) {
	const rest = value.replace(/^https?:\/\//i, '');

	return value.length <= 2000 && rest != '' && !/\s/.test(value) && !/^[a-z][a-z0-9+.-]*:\/\//i.test(rest) && !/^[\/?#:]/.test(rest);
}

function isCronField(word, low, high) {
	return word.split(',').every(function(part) {
		const m = /^(?:\*|([0-9]{1,2})(?:-([0-9]{1,2}))?)(?:\/([0-9]{1,2}))?$/.exec(part);

		if (!m)
			return false;

		const from = m[1] == null ? low : +m[1],
		      to = m[2] != null ? +m[2] : m[1] != null ? +m[1] : high;

		return from >= low && from <= to && to <= high && (m[3] == null || +m[3] > 0);
	});
}

function isCron(value) {
	const limits = [ [0, 59], [0, 23], [1, 31], [1, 12], [0, 7] ],
	      words = value.trim().split(/[ \t]+/);

	return words.length == 5 && limits.every(function(limit, i) {
		return isCronField(words[i], limit[0], limit[1]);
	});
}

function isDate(value) {
	const m = /^([0-9]{4})-([0-9]{2})-([0-9]{2}) ([0-9]{2}):([0-9]{2})$/.exec(value);

	if (!m || +m[1] < 2000 || +m[4] > 23 || +m[5] > 59)
		return false;

	const day = new Date(Date.UTC(+m[1], m[2] - 1, +m[3]));

	return day.getUTCMonth() == m[2] - 1 && day.getUTCDate() == +m[3];
}

/* Adds a check to those that the option has. All pass an empty value. */
function check(option, test) {
	const before = option.validate;

	option.validate = function(section_id, value) {
		const so_far = before.call(this, section_id, value);

		return so_far !== true || value == null || value === '' ? so_far : test.call(this, String(value), section_id);
	};

	return option;
}

function isOn(option, section_id, flag) {
	return !flag || option.section.formvalue(section_id, flag) == '1';
}

/* Shows at the field what LuCI has no check for, true for nothing; the field is marked, so that its tab is. */
function showVerdict(option, section_id, verdict) {
	const frame = option.map.findElement('data-field', option.cbid(section_id)),
	      input = frame ? frame.querySelector('input') : null;

	function clear() {
		frame.querySelectorAll('.sg-lack').forEach(function(fault) { fault.remove(); });
	}

	if (!input)
		return;

	clear();

	if (verdict === true)
		return;

	(frame.querySelector('.cbi-value-field') || frame).appendChild(
		E('div', { 'class': 'cbi-value-fault sg-fault sg-lack', 'role': 'alert' }, [ verdict ]));
	frame.addEventListener('widget-change', clear, { once: true });
	input.classList.add('cbi-input-invalid');
	L.ui.tabs.updateTabs();
}

/* A check of a list as a whole: the field of a list checks only what is being typed. */
function checkList(option, test) {
	const parse = option.parse;

	option.parse = function(section_id) {
		const verdict = this.isActive(section_id) ? test.call(this, L.toArray(this.formvalue(section_id)), section_id) : true;

		showVerdict(this, section_id, verdict);

		return verdict === true
			? parse.apply(this, arguments)
			: Promise.reject(new TypeError('%s: %s'.format(this.title, verdict)));
	};

	return option;
}

/* A row has the switch, and not what is needed to switch it on. */
function keepOff(option, flag) {
	const enable = option.section.children.filter(function(each) { return each.option == flag; })[0],
	      parse = enable ? enable.parse : null;

	if (!(option.section instanceof form.GridSection) || !parse)
		return;

	enable.parse = function(section_id) {
		const isRow = this.section instanceof form.GridSection,
		      value = this.map.data.get(this.map.config, section_id, option.option);

		/* What depends on other options may be needed or not. */
		return isRow && option.deps.length == 0 && this.formvalue(section_id) == '1' && L.toArray(value).length == 0
			? Promise.reject(new TypeError('%s: %s'.format(option.title, _('Needed while this is switched on.'))))
			: parse.apply(this, arguments);
	};
}

return baseclass.extend({
	isPhone: isPhone,
	isCron: isCron,
	isDate: isDate,
	check: check,

	/* A whole number. `usual` is what holds while the field is empty. */
	number: function(option, low, high, usual) {
		option.datatype = 'and(uinteger,range(%d,%d))'.format(low, high);
		if (usual != null)
			option.placeholder = String(usual);

		return option;
	},

	port: function(option, low) {
		option.datatype = low > 0 ? 'and(port,min(%d))'.format(low) : 'port';

		return option;
	},

	/* Text of so many characters; `form` says in words what the pattern asks for. */
	text: function(option, low, high, pattern, form) {
		return check(option, function(value) {
			const length = Array.from(value).length;

			if (pattern && !pattern.test(value))
				return expect(false, form);

			return expect(length >= low && length <= high, low > 1
				? _('%d to %d characters').format(low, high)
				: _('at most %d characters').format(high));
		});
	},

	phone: function(option) {
		return check(option, function(value) {
			return expect(isPhone(value), _('a phone number such as +37060000001'));
		});
	},

	host: function(option) {
		return check(option, function(value) {
			return expect(isHost(value), _('a host name or IP address'));
		});
	},

	email: function(option) {
		return check(option, function(value) {
			return expect(isEmail(value), _('an email address'));
		});
	},

	url: function(option) {
		return check(option, function(value) {
			return expect(isUrl(value), _('a URL such as 192.168.1.1:81/sms'));
		});
	},

	file: function(option) {
		return check(option, function(value) {
			return expect(value.charAt(0) == '/' && value.length > 1 && value.length <= 4096, _('an absolute path'));
		});
	},

	cron: function(option) {
		return check(option, function(value) {
			return expect(isCron(value), _('five fields such as 30 7 * * 1-5'));
		});
	},

	date: function(option) {
		return check(option, function(value) {
			return expect(isDate(value), _('a date and time such as 2026-12-31 08:00'));
		});
	},

	/* A list. A single value in the file is one entry, whatever blanks it holds. */
	list: function(option) {
		option.load = function(section_id) {
			const value = this.map.data.get(this.map.config, section_id, this.option);

			return value == null || Array.isArray(value) ? value : [ value ];
		};

		return option;
	},

	/* A list of which an entry holds while it is empty. Its row shows what is in force. */
	usual: function(option, entry) {
		option.placeholder = entry;
		option.textvalue = function(section_id) {
			const given = L.toArray(this.map.data.get(this.map.config, section_id, this.option)),
			      labels = (given.length > 0 ? given : [ entry ]).map(function(each) {
				      const at = option.keylist.indexOf(each);

				      return at == -1 ? each : option.vallist[at];
			      });

			return E('span', {}, [ labels.join(', ') ]);
		};

		return option;
	},

	/* Numbers may hold blanks. */
	phones: function(option) {
		return this.phone(this.list(option));
	},

	/* Must be set while the section is on; `flag` is the option that turns it on, and none is always on. */
	needed: function(option, flag) {
		option.needed = true;

		if (flag)
			keepOff(option, flag);

		if (option instanceof form.DynamicList)
			return checkList(option, function(entries, section_id) {
				return entries.length > 0 || !isOn(this, section_id, flag) ? true : flag
					? _('At least one entry is needed while this is switched on.')
					: _('At least one entry is needed.');
			});

		if (!flag) {
			option.rmempty = false;
			option.optional = false;

			return option;
		}

		const before = option.validate;

		option.validate = function(section_id, value) {
			if ((value == null || value === '') && isOn(this, section_id, flag))
				return _('Needed while this is switched on.');

			return before.call(this, section_id, value);
		};

		return option;
	},

	/* A program and its arguments. */
	program: function(option, flag) {
		return checkList(this.needed(this.text(this.list(option), 0, 1000), flag), function(entries, section_id) {
			return entries.length == 0 || entries[0].charAt(0) == '/' || !isOn(this, section_id, flag)
				? true : _('The first entry must be the absolute path of a program.');
		});
	},

	secret: function(option) {
		option.password = true;

		return option;
	},

	/* A choice of nothing. LuCI shows one only where the option is optional. */
	empty: function(option, label) {
		option.optional = true;
		option.value('', label);

		return option;
	},

	/* Names of what other sections hold, and the empty choice first. */
	names: function(option, sections, key, none) {
		if (none != null)
			this.empty(option, none);

		sections.forEach(function(section) {
			const name = key ? section[key] : section['.name'];

			if (name)
				option.value(name, name);
		});

		return option;
	},

	/* Help is shown as markup by LuCI, and ours is text. */
	help: function(text) {
		return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
	}
});
