'use strict';
'require view';
'require form';
'require uci';
'require sms_gateway.addrow as addrow';
'require sms_gateway.counter as counter';
'require sms_gateway.fields as fields';
'require sms_gateway.functionpage as functionpage';
'require sms_gateway.options as options';

/* What this gateway carries out, and what it then does in words. */
const actions = {
	reboot: _('Reboot'),
	send_status: _('Send status'),
	send_sms: _('Send an SMS'),
	switch_modem: _('Switch modem'),
	command: _('Run a command'),
	ubus: _('ubus call'),
	uci: _('Read and set UCI options'),
	wifi: _('WiFi on or off'),
	mobile: _('Mobile data on or off'),
	vpn: _('VPN on or off'),
	vpnstatus: _('VPN status'),
	dout: _('Switch an output'),
	iostatus: _('State of inputs and outputs'),
	wol: _('Wake up a device'),
	gps_coordinates: _('Send the position'),
	gps: _('GPS on or off'),
	ssh_access: _('SSH access'),
	web_access: _('Web access')
};

const deeds = {
	reboot: _('restarts the router'),
	send_status: _('is answered with the status'),
	send_sms: _('sends an SMS'),
	switch_modem: _('makes another modem the one that sends'),
	command: _('runs a command'),
	ubus: _('makes a ubus call'),
	uci: _('shows or sets UCI options'),
	wifi: _('switches WiFi'),
	mobile: _('switches mobile data'),
	vpn: _('switches the VPN'),
	vpnstatus: _('is answered with the state of the VPN'),
	dout: _('switches an output'),
	iostatus: _('is answered with the state of inputs and outputs'),
	wol: _('wakes up a device'),
	gps_coordinates: _('is answered with the position'),
	gps: _('switches GPS'),
	ssh_access: _('sets the SSH access'),
	web_access: _('sets the web access')
};

/* Actions that ask, and those that only answer: the others can change the system. */
const harmless = [ 'send_status', 'send_sms', 'vpnstatus', 'iostatus', 'gps_coordinates' ];

const authorisations = {
	no: _('No authorization'),
	serial: _('By serial'),
	password: _('By router admin password'),
	code: _('By one-time code')
};

function who(value) {
	switch (value('allowed_phone')) {
	case 'single':
		return value('tel') || _('one phone');
	case 'group':
		return _('a phone of the group %s').format(value('group') || '…');
	default:
		return _('any phone');
	}
}

function secret(value) {
	switch (value('authorisation') || 'password') {
	case 'no':
		return '';
	case 'serial':
		return _('<serial number>') + ' ';
	case 'code':
		return _('<code>') + ' ';
	default:
		return _('<password>') + ' ';
	}
}

function sentence(value) {
	const action = value('action'),
	      text = secret(value) + (value('smstext') || '…') + (value('match') == 'prefix' ? ' …' : '');

	return deeds[action]
		? _('An SMS “%s” from %s %s.').format(text, who(value), deeds[action])
		: _('This action is one of the original router, and is not carried out here.');
}

function stored(section_id) {
	return function(name) {
		return uci.get('sms_gateway', section_id, name);
	};
}

function flag(s, name, title, help) {
	const o = s.taboption('general', form.Flag, name, title, help);

	o.modalonly = true;
	o.default = '0';
	o.retain = true;

	return o;
}

function rules(s) {
	let o;

	s.nodescriptions = true;
	s.modaltitle = _('SMS rule');
	s.sortable = true;
	addrow.to(s, {
		option: 'smstext',
		label: _('SMS text'),
		placeholder: _('SMS text'),
		button: _('Add'),
		values: { action: 'send_status' },
		check: function(value) {
			return Array.from(value).length <= 160 ? true : _('Expecting: %s').format(_('at most %d characters').format(160));
		}
	});

	s.tab('general', _('General'));
	s.tab('advanced', _('Advanced'));

	o = s.taboption('general', form.Flag, 'enabled', _('Enable'), _('Turns the rule on or off.'));
	o.default = '0';
	o.rmempty = false;
	o.editable = true;

	o = s.taboption('general', form.Value, 'smstext', _('SMS text'),
		_('Text of the message, upper or lower case, behind the password or serial number where the rule asks for one.'));
	fields.needed(fields.text(o, 1, 160));

	o = s.taboption('general', form.ListValue, 'action', _('Action'),
		_('What to do. docs/rules.md describes each action; the check of the config names those that this router cannot carry out, with the reason.'));
	for (let name in actions)
		o.value(name, actions[name]);
	/* Rules of the original's own hardware stay what they are. */
	uci.sections('sms_gateway', 'rule').forEach(function(section) {
		if (section.action && !actions[section.action] && o.keylist.indexOf(section.action) == -1)
			o.value(section.action, _('%s (not carried out here)').format(section.action));
	});
	o.needed = true;

	o = s.taboption('general', form.DummyValue, '_who', _('Allowed users'));
	o.modalonly = false;
	o.textvalue = function(section_id) {
		return E('span', {}, [ who(stored(section_id)) ]);
	};

	o = s.taboption('general', form.ListValue, 'authorisation', _('Authorisation'),
		_('What the message must begin with: nothing, the serial number, the password, or a one-time code of six digits from an authenticator app. Rules that can change the system need one.'));
	for (let name in authorisations)
		o.value(name, authorisations[name]);
	o.default = 'password';
	o.validate = function(section_id, value) {
		const action = this.section.formvalue(section_id, 'action');

		return value == 'no' && actions[action] && harmless.indexOf(action) == -1
			? _('This action can change the system and needs a password, a serial number or a code.') : true;
	};

	o = s.taboption('general', form.ListValue, 'otp', _('Codes follow'),
		_('With "code": a counter (HOTP, RFC 4226), or the time (TOTP, RFC 6238), which needs the right time on both sides.'));
	o.modalonly = true;
	o.value('counter', _('A counter'));
	o.value('time', _('The time'));
	o.default = 'counter';
	o.depends('authorisation', 'code');
	o.retain = true;

	o = s.taboption('general', form.Value, 'otp_secret', _('Secret of the codes'),
		_('With "code": the secret that the authenticator app has too, in base32. `smsgw otp secret` makes one. Rules with the same secret share its codes: each code works once.'));
	o.modalonly = true;
	fields.secret(fields.text(o, 0, 256, /^(?:[A-Za-z2-7][ -]?){26,128}=*$/, _('a secret of 26 or more base32 digits (A to Z, 2 to 7)')));
	o.depends('authorisation', 'code');
	o.retain = true;

	o = s.taboption('general', form.ListValue, 'allowed_phone', _('Allowed users'),
		_('Who may trigger the rule. The sender of an SMS can be forged.'));
	o.modalonly = true;
	o.value('all', _('From all numbers'));
	o.value('group', _('From group'));
	o.value('single', _('From single number'));
	o.default = 'all';

	o = s.taboption('general', form.Value, 'tel', _('Allowed phone'), _('The number that "single" means.'));
	o.modalonly = true;
	o.depends('allowed_phone', 'single');
	o.retain = true;
	fields.needed(fields.phone(o), 'enabled');

	o = s.taboption('general', form.ListValue, 'group', _('Allowed group'), _('Name of the phone group that "group" means.'));
	o.modalonly = true;
	o.depends('allowed_phone', 'group');
	o.retain = true;
	fields.needed(fields.names(o, options.groups(), 'name', _('-- Please choose --')), 'enabled');

	o = s.taboption('general', form.Flag, 'status_sms', _('Status by SMS'), _('With "reboot": sends the message text first.'));
	o.modalonly = true;
	o.default = '0';
	o.depends('action', 'reboot');
	o.retain = true;

	o = s.taboption('general', form.TextValue, 'message', _('Message text'),
		_('Text for "send_status", "send_sms" and the status of "reboot". Placeholders: %rn router name, %wi WAN address, %cs data connection state, %ct connection type, %ss signal strength, %fs new firmware, %sn number of the sender, %dt date and time; %% is a percent sign.'));
	o.modalonly = true;
	o.rows = 3;
	o.depends('action', 'send_status');
	o.depends('action', 'send_sms');
	o.depends({ action: 'reboot', status_sms: '1' });
	o.retain = true;
	fields.text(o, 0, 2000);
	counter.attach(o);

	o = s.taboption('general', form.Value, 'object', _('ubus object'), _('Object that "ubus" calls.'));
	o.modalonly = true;
	o.depends('action', 'ubus');
	o.retain = true;
	fields.needed(fields.text(o, 1, 128, /^[A-Za-z0-9_.-]+$/, _('the name of a ubus object')), 'enabled');

	o = s.taboption('general', form.Value, 'method', _('ubus method'), _('Method that "ubus" calls.'));
	o.modalonly = true;
	o.depends('action', 'ubus');
	o.retain = true;
	fields.needed(fields.text(o, 1, 128, /^[A-Za-z0-9_.-]+$/, _('the name of a ubus method')), 'enabled');

	o = s.taboption('general', form.Value, 'args', _('ubus arguments'), _('JSON object with the arguments. Empty: none.'));
	o.modalonly = true;
	o.depends('action', 'ubus');
	o.retain = true;
	fields.check(fields.text(o, 0, 2000), function(value) {
		let parsed = null;

		try {
			parsed = JSON.parse(value);
		}
		catch (e) {
			parsed = null;
		}

		return L.isObject(parsed) && !Array.isArray(parsed) ? true : _('Expecting: %s').format(_('a JSON object'));
	});

	o = s.taboption('general', form.ListValue, 'command', _('Command'), _('Name of the command section that "command" runs.'));
	o.modalonly = true;
	o.depends('action', 'command');
	o.retain = true;
	fields.needed(fields.names(o, uci.sections('sms_gateway', 'command'), 'name', _('-- Please choose --')), 'enabled');

	o = s.taboption('general', form.DynamicList, 'uci_option', _('UCI options'),
		_('Options that "uci" may show and set, as config.section.option. Nothing else is shown or set.'));
	o.modalonly = true;
	o.depends('action', 'uci');
	o.retain = true;
	fields.text(fields.list(o), 0, 200, /^[A-Za-z0-9_-]+\.(?:[A-Za-z0-9_]+|\*)\.(?:[A-Za-z0-9_]+|\*)$/,
		_('config.section.option, where * stands for any section or option'));

	o = s.taboption('general', form.ListValue, 'value', _('Value'),
		_('What "wifi", "mobile", "vpn", "gps" and "dout" switch to.'));
	o.modalonly = true;
	o.value('on', _('on'));
	o.value('off', _('off'));
	[ 'wifi', 'mobile', 'vpn', 'gps', 'dout' ].forEach(function(action) { o.depends('action', action); });
	o.retain = true;

	o = flag(s, 'write_wifi', _('Write to config (WiFi)'), _('With "wifi": on, it also holds after a restart. Off, only until then.'));
	o.depends('action', 'wifi');

	o = flag(s, 'write_mobile', _('Write to config (mobile)'), _('With "mobile": on, it also holds after a restart. Off, only until then.'));
	o.depends('action', 'mobile');

	o = s.taboption('general', form.Value, 'outputnb', _('Output'),
		_('Output that "dout" switches, such as DOUT1: a name in /sys/class/gpio or of ioman. Case does not matter.'));
	o.modalonly = true;
	o.depends('action', 'dout');
	o.retain = true;
	fields.needed(fields.text(o, 0, 32, /^[A-Za-z0-9_-]+$/, _('the name of an output')), 'enabled');

	o = flag(s, 'timeout', _('Output time-out'), _('With "dout": switches the output back after some seconds.'));
	o.depends('action', 'dout');

	o = s.taboption('general', form.Value, 'seconds', _('Output time-out, seconds'),
		_('Seconds after which the output is switched back.'));
	o.modalonly = true;
	o.depends({ action: 'dout', timeout: '1' });
	o.retain = true;
	fields.number(o, 0, 86400);

	o = s.taboption('general', form.Value, 'mac', _('MAC address'), _('Device that "wol" wakes up.'));
	o.modalonly = true;
	o.depends('action', 'wol');
	o.retain = true;
	fields.needed(fields.text(o, 0, 17, /^[0-9A-Fa-f]{2}([:-]?[0-9A-Fa-f]{2}){5}$/, _('a MAC address such as 00:11:22:aa:bb:cc')), 'enabled');

	o = flag(s, 'ssh_access_enabled', _('SSH access'), _('What "ssh_access" sets: whether the SSH server runs.'));
	o.depends('action', 'ssh_access');

	o = flag(s, 'ssh_access_remote', _('Remote SSH access'), _('What "ssh_access" sets: whether the firewall lets SSH in from wan.'));
	o.depends('action', 'ssh_access');

	o = flag(s, 'web_access_enabled', _('HTTP access'), _('What "web_access" sets: whether the pages are served by HTTP.'));
	o.depends('action', 'web_access');

	o = flag(s, 'web_access_enabled_https', _('HTTPS access'), _('What "web_access" sets: whether they are served by HTTPS.'));
	o.depends('action', 'web_access');

	o = flag(s, 'web_access_http', _('Remote HTTP access'), _('What "web_access" sets: whether the firewall lets HTTP in from wan.'));
	o.depends('action', 'web_access');

	o = flag(s, 'web_access_https', _('Remote HTTPS access'), _('What "web_access" sets: whether the firewall lets HTTPS in from wan.'));
	o.depends('action', 'web_access');

	o = s.taboption('general', form.DynamicList, 'to_number', _('Other phones'),
		_('Where answers go with "Answer to another phone", and where "send_sms" sends.'));
	o.modalonly = true;
	o.depends('action', 'send_sms');
	o.depends('to_other_phone', '1');
	o.retain = true;
	fields.phones(o);

	o = s.taboption('general', form.DummyValue, '_words', _('In words'));
	o.modalonly = true;
	o.renderWidget = function(section_id) {
		return E('div', { 'class': 'sg-words', 'data-words': section_id, 'aria-live': 'polite' }, [ sentence(stored(section_id)) ]);
	};

	o = s.taboption('advanced', form.ListValue, 'match', _('Match'),
		_('Whether the message is this text, or begins with it. With "uci" it always begins with it.'));
	o.modalonly = true;
	o.value('exact', _('is the text'));
	o.value('prefix', _('begins with the text'));
	o.default = 'exact';

	o = s.taboption('advanced', form.Value, 'interface', _('Interface'),
		_('Network interface as in /etc/config/network, for "mobile", "vpn", "vpnstatus" and "wol". Empty: the mobile ones, the VPNs, or lan.'));
	o.modalonly = true;
	[ 'mobile', 'vpn', 'vpnstatus', 'wol' ].forEach(function(action) { o.depends('action', action); });
	o.retain = true;
	fields.text(o, 0, 64, /^[A-Za-z0-9_.-]+$/, _('the name of a network interface'));

	o = s.taboption('advanced', form.Value, 'service', _('Service'),
		_('Script in /etc/init.d that "vpn" and "gps" start and stop and that "vpnstatus" shows. Empty: the known ones that are installed.'));
	o.modalonly = true;
	[ 'vpn', 'gps', 'vpnstatus' ].forEach(function(action) { o.depends('action', action); });
	o.retain = true;
	fields.text(o, 0, 64, /^[A-Za-z0-9_.-]+$/, _('the name of a script in /etc/init.d'));

	o = s.taboption('advanced', form.Flag, 'to_other_phone', _('Answer to another phone'),
		_('Sends the answer to the numbers below in place of the sender.'));
	o.modalonly = true;
	o.default = '0';

	o = s.taboption('advanced', form.Flag, 'reply', _('Answer with the result'),
		_('Sends what is the case after the action, what a call or command printed, or that it failed. Actions that only ask always answer.'));
	o.modalonly = true;
	o.default = '1';

	o = s.taboption('advanced', form.Value, 'max_parts', _('Longest answer'), _('SMS parts after which an answer is cut.'));
	o.modalonly = true;
	fields.number(o, 1, 10, 3);

	o = s.taboption('advanced', form.Value, 'max_age', _('Oldest message'),
		_('Messages that were sent longer ago are not obeyed: they may have waited in the network or on the SIM.'));
	o.modalonly = true;
	fields.number(o, 1, 720, 24);

	o = s.taboption('advanced', form.Value, 'max_per_hour', _('Times an hour'),
		_('How often one sender may trigger the rule within an hour. Two machines that answer each other stop here.'));
	o.modalonly = true;
	fields.number(o, 1, 1000, 20);

	o = options.modem(s, _('Modem that "switch_modem" makes the one that sends; else the one that answers. Empty: any.'));
	o.modalonly = true;

	s.children.forEach(function(option) {
		if (!(option instanceof form.DummyValue))
			option.onchange = function(ev, section_id) {
				const node = document.querySelector('[data-words="' + section_id + '"]'),
				      section = this.section;

				if (node)
					node.textContent = sentence(function(name) { return section.formvalue(section_id, name); });
			};
	});
}

function commands(s) {
	let o;

	s.addremove = true;
	s.anonymous = true;
	s.nodescriptions = true;
	s.addbtntitle = _('Add a command');
	s.modaltitle = _('Command');

	o = s.option(form.Value, 'name', _('Name'), _('The name that rules use.'));
	fields.needed(fields.text(o, 1, 64));

	o = s.option(form.DynamicList, 'argv', _('Program and arguments'),
		_('Absolute path of the program, then its arguments, one a list element. No shell, and nothing of the SMS is passed on. The program must belong to root or the gateway\'s user, and nobody else may be able to write to it.'));
	fields.program(o);

	o = s.option(form.Value, 'timeout', _('Time-out'),
		_('Seconds after which the program is killed, with what it has started. So it is when the gateway stops.'));
	fields.number(o, 1, 240, 10);
	o.modalonly = true;
}

return view.extend({
	load: function() {
		return functionpage.load();
	},

	render: function(status) {
		const m = new form.Map('sms_gateway', _('Rules'),
			_('What a received message of a certain text makes the gateway do.'));

		rules(m.section(form.GridSection, 'rule', _('SMS Utilities rules'),
			_('Enter the text of the SMS that triggers the rule and press “Add”; what it does follows.')));
		commands(m.section(form.GridSection, 'command', _('Commands'), _('Programs that rules may run. Add one, then choose it as the command of a rule.')));

		return functionpage.render(m, status, [ 'rule', 'command' ]);
	}
});
