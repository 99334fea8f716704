'use strict';
'require baseclass';
'require dom';
'require form';
'require poll';
'require uci';
'require sms_gateway.grid as grid';
'require sms_gateway.service as service';
'require sms_gateway.style as style';

/* What the pages of the gateway functions share: sections that may be missing, the state of a function, its test. */

function faultLine(fault, withLink) {
	const place = [ fault.section, fault.option ].filter(function(part) { return part; }).join('.'),
	      where = fault.line ? _('%s, line %d').format(place || fault.file, fault.line) : place,
	      page = withLink ? (service.sectionPage(fault.section) || service.sectionPage(fault.page)) : null;

	return E('p', {}, [
		where ? E('strong', {}, [ where + ': ' ]) : '',
		service.foreign(fault.message),
		'. ',
		/* Earlier values may be in force, or defaults, or nothing: so it is with a new section, after a start, and where the router lacks something. */
		fault.severity == 'error'
			? _('Until this is mended these settings are not fully in force, and earlier ones may still be.') + ' ' : '',
		page ? E('a', { 'href': page }, [ _('Settings') ]) : ''
	]);
}

/* The service calls a section without a name by its place, such as @msg[0]. */
function typeOf(name) {
	const place = /^@([A-Za-z0-9_-]+)\[[0-9]+\]$/.exec(name);

	return place ? place[1] : (uci.get('sms_gateway', name) || {})['.type'];
}

return baseclass.extend({
	typeOf: typeOf,

	/* The name that the service has for a section. */
	nameOf: function(type, section_id) {
		const sections = uci.sections('sms_gateway', type),
		      at = sections.findIndex(function(section) { return section['.name'] == section_id; });

		return at != -1 && sections[at]['.anonymous'] ? '@%s[%d]'.format(type, at) : section_id;
	},

	/*
	 * Loads the config and makes the single sections that the file does not have: { name: type }. They are sent only
	 * when the form is saved. Resolves to the state of the service, null while it does not run.
	 */
	load: function(sections) {
		return Promise.all([
			service.status().catch(function() { return null; }),
			uci.load('sms_gateway')
		]).then(function(loaded) {
			for (let name in sections || {})
				if (uci.get('sms_gateway', name) == null)
					uci.add('sms_gateway', sections[name], name);

			return loaded[0];
		});
	},

	/* What the service says against these sections, by name or type, as it last read the file. */
	faults: function(status, names) {
		if (status == null)
			return E('div', { 'class': 'alert-message warning' }, [
				E('p', {}, [ _('The SMS gateway service does not run. What is saved here takes effect when it starts.') ])
			]);

		const own = (status.config_errors || []).filter(function(fault) {
			const type = fault.section ? typeOf(fault.section) : null;

			return !fault.section || names.indexOf(fault.section) != -1 || names.indexOf(type) != -1;
		});

		return own.length ? E('div', { 'class': 'alert-message warning' }, own.map(function(fault) {
			return faultLine(fault, false);
		})) : '';
	},

	faultLine: faultLine,

	/* A page: what is wrong, then the form. */
	render: function(map, status, names) {
		const faults = this.faults(status, names);

		map.children.filter(function(section) { return section instanceof form.GridSection; }).forEach(grid.prepare);

		return map.render().then(function(node) {
			return E('div', {}, [ style.node(), faults, node ]);
		});
	},

	/*
	 * A row with what the function does now, and its test; follows the service while the page is open. The tab is null in
	 * a section without tabs.
	 */
	state: function(section, tab, name) {
		const title = _('State'),
		      option = tab == null
			      ? section.option(form.DummyValue, '_state_' + name, title)
			      : section.taboption(tab, form.DummyValue, '_state_' + name, title),
		      self = this;
		let shown = null;

		option.renderWidget = function() {
			const line = E('div', { 'class': 'sg-state' }, [ E('span', { 'class': 'spinning' }, [ _('Loading…') ]) ]),
			      answer = E('div', { 'class': 'sg-test-answer', 'aria-live': 'polite' });

			shown = { line: line, answer: answer, last: null };
			self.refresh(name, shown);

			return E('div', {}, [
				E('div', { 'class': 'sg-state-row' }, [
					line,
					service.functions[name].testable ? self.testButton(name, this.map, answer) : ''
				]),
				answer
			]);
		};

		poll.add(function() {
			return shown ? self.refresh(name, shown) : Promise.resolve();
		}, 5);

		return option;
	},

	refresh: function(name, shown) {
		return service.module({ module: name }).then(function(module) {
			const text = JSON.stringify([ module.state, module.error, module.pending, module.counters ]);

			if (text == shown.last)
				return;

			const deeds = service.deeds(module);

			shown.last = text;
			dom.content(shown.line, [
				service.moduleState(module),
				deeds ? E('span', { 'class': 'sg-muted' }, [ ' ', deeds ]) : '',
				module.error ? E('div', { 'class': 'sg-fault' }, [
					service.foreign(module.error),
					module.error_since ? ' ' + _('(since %s)').format(service.time(module.error_since)) : ''
				]) : ''
			]);
		}).catch(function(error) {
			shown.last = null;
			dom.content(shown.line, [ E('span', { 'class': 'sg-muted' }, [ error.message ]) ]);
		});
	},

	testButton: function(name, map, answer) {
		const self = this;

		return E('button', {
			'type': 'button',
			'class': 'btn cbi-button cbi-button-neutral',
			'disabled': map.readonly || null,
			'click': L.ui.createHandlerFn(this, function() {
				return self.runTest(name, map).then(function(result) {
					dom.content(answer, [ E('div', { 'class': 'alert-message ' + result.kind, 'role': 'status' }, [
						E('p', {}, [ service.foreign(result.text) ])
					]) ]);
				});
			})
		}, [ _('Test saved settings') ]);
	},

	/* The test uses what the service uses: with changes that it does not know the result would mislead. */
	runTest: function(name, map) {
		return uci.changes().then(function(changes) {
			if ((map.root && map.root.querySelector('[data-changed="true"]')) || (changes && changes.sms_gateway))
				return { kind: 'warning', text: _('There are changes that are not yet applied. Save and apply them first: the test uses the settings in force.') };

			return service.test({ module: name }).then(function(result) {
				return { kind: 'success', text: result.message || _('The test succeeded.') };
			});
		}).catch(function(error) {
			return { kind: 'danger', text: error.message };
		});
	}
});
