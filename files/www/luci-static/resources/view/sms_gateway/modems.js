'use strict';
'require view';
'require form';
'require uci';
'require sms_gateway.fields as fields';
'require sms_gateway.functionpage as functionpage';
'require sms_gateway.options as options';
'require sms_gateway.service as service';

const deviceForm = /^(auto|sim|\/[!-~]+|tcp:\/\/([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5})$/;

return view.extend({
	load: function() {
		return Promise.all([
			functionpage.load(),
			service.modems().catch(function() { return {}; })
		]);
	},

	render: function(loaded) {
		const status = loaded[0],
		      found = loaded[1],
		      m = new form.Map('sms_gateway', _('Modems'),
			_('The modems that send and receive. To add one, give it a name of letters and digits.')),
		      s = m.section(form.GridSection, 'modem');
		let o;

		s.addremove = true;
		s.nodescriptions = true;
		s.addbtntitle = _('Add a modem');
		s.modaltitle = function(section_id) {
			return _('Modem') + ' ' + section_id;
		};
		s.sectiontitle = function(section_id) {
			const sections = uci.sections('sms_gateway', 'modem'),
			      at = sections.findIndex(function(section) { return section['.name'] == section_id; });

			return at == -1 ? section_id : options.modems()[at].name;
		};

		s.tab('general', _('General'));
		s.tab('limits', _('Limits'));
		s.tab('advanced', _('Advanced'));

		o = s.taboption('general', form.Flag, 'enabled', _('Enable'), _('Whether the gateway uses this modem.'));
		o.default = '1';
		o.rmempty = false;
		o.editable = true;

		o = s.taboption('general', form.DummyValue, '_state', _('State'));
		o.modalonly = false;
		o.textvalue = function(section_id) {
			const name = s.sectiontitle(section_id),
			      modem = ((status || {}).modems || []).filter(function(each) { return each.name == name; })[0];

			return modem ? service.modemState(modem) : E('span', { 'class': 'sg-muted' }, [ '–' ]);
		};

		o = s.taboption('general', form.Value, 'device', _('Device'),
			_('Serial port of the modem, tcp://host:port of a serial-port server, "auto" to look for one, or "sim" for the built-in simulator.'));
		o.value('auto', _('auto: look for a modem'));
		(found.ports || []).forEach(function(port) {
			o.value(port, port);
		});
		o.value('sim', _('sim: built-in simulator'));
		o.default = 'auto';
		fields.text(o, 1, 255, deviceForm, _('"auto", "sim", a device path or tcp://host:port'));

		o = s.taboption('general', form.Flag, 'sim_answer', _('Simulated subscriber answers'),
			_('With the device "sim": every recipient answers a message after a second, but at most ten within an hour.'));
		o.modalonly = true;
		o.default = '0';
		o.depends('device', 'sim');
		o.retain = true;

		o = s.taboption('general', form.Value, 'pin', _('SIM PIN'),
			_('Tried once. A wrong PIN is not tried again until this option changes.'));
		o.modalonly = true;
		fields.secret(fields.text(o, 4, 8, /^[0-9]{4,8}$/, _('4 to 8 digits')));

		o = s.taboption('general', form.Value, 'smsc', _('Service centre'),
			_('Number of the SMS service centre. Empty: the one on the SIM.'));
		o.modalonly = true;
		fields.phone(o);

		o = s.taboption('general', form.Flag, 'reports', _('Delivery reports'),
			_('Asks the network whether each message was delivered. Some networks charge for it.'));
		o.modalonly = true;
		o.default = '1';

		o = s.taboption('limits', form.Value, 'send_interval', _('Time between messages'),
			_('Milliseconds from one sent part to the next, at least.'));
		o.modalonly = true;
		fields.number(o, 0, 3600000, 500);

		o = s.taboption('limits', form.Value, 'daily_limit', _('Daily limit'),
			_('Parts sent a day, by the local calendar; what is more waits for the next day. 0: no limit.'));
		o.modalonly = true;
		fields.number(o, 0, 1000000, 0);

		o = s.taboption('advanced', form.Value, 'baudrate', _('Baud rate'),
			_('Speed of a real serial line in bit/s. USB modems ignore it.'));
		o.modalonly = true;
		fields.number(o, 300, 4000000, 115200);

		o = s.taboption('advanced', form.Flag, 'rtscts', _('Hardware flow control'), _('RTS/CTS on a real serial line.'));
		o.modalonly = true;
		o.default = '0';

		o = s.taboption('advanced', form.DynamicList, 'init', _('Further commands'),
			_('AT commands to give after each start of the modem.'));
		o.modalonly = true;
		fields.text(fields.list(o), 2, 200, /^AT[ -~]*$/i, _('an AT command'));

		o = s.taboption('advanced', form.ListValue, 'storage', _('Message storage'),
			_('Where received messages wait for the gateway: on the SIM (SM), in the modem (ME), both (MT). "auto" takes what the modem uses.'));
		o.modalonly = true;
		o.value('auto', 'auto');
		o.value('SM', 'SM');
		o.value('ME', 'ME');
		o.value('MT', 'MT');
		o.default = 'auto';

		o = s.taboption('advanced', form.ListValue, 'delivery', _('Delivery'),
			_('How the modem hands over received messages: stored and announced ("store"), or passed on directly and acknowledged once they are safe ("direct"), for modems that store nowhere. "auto" stores, and changes to "direct" where that does not work.'));
		o.modalonly = true;
		o.value('store', _('stored and announced'));
		o.value('direct', _('passed on directly'));
		o.value('auto', 'auto');
		o.default = 'store';

		o = s.taboption('advanced', form.Value, 'network_timeout', _('Network time-out'),
			_('Seconds without a network after which the modem is initialised again. 0: never.'));
		o.modalonly = true;
		fields.number(o, 0, 86400, 300);

		o = s.taboption('advanced', form.Value, 'sweep_interval', _('Look for messages every'),
			_('Seconds between looks into the message storage, for messages that the modem did not announce.'));
		o.modalonly = true;
		fields.number(o, 10, 86400, 300);

		o = s.taboption('advanced', form.Value, 'watchdog', _('Check the modem every'),
			_('Seconds of silence after which the modem is asked whether it still answers; it also refreshes the signal strength.'));
		o.modalonly = true;
		fields.number(o, 5, 3600, 30);

		o = s.taboption('advanced', form.DynamicList, 'reset_command', _('Reset command'),
			_('Program that takes the modem off its power and on again, and its arguments, an entry each; run without a shell, when nothing else brings a hanging modem back.'));
		o.modalonly = true;
		fields.text(fields.list(o), 1, 255, /^[ -~]+$/, _('printable characters'));

		o = s.taboption('advanced', form.ListValue, 'at_commands', _('AT commands by hand'),
			_('Which AT commands a person may give by smsgw at and RPC: those that only read ("read"), or any ("all"). After one that does not only read, the modem is set up again.'));
		o.modalonly = true;
		o.value('read', _('those that only read'));
		o.value('all', _('any'));
		o.default = 'read';

		return functionpage.render(m, status, [ 'modem' ]);
	}
});
