'use strict';
'require view';
'require poll';
'require uci';
'require ui';
'require sms_gateway.conversations as conversations';
'require sms_gateway.messagelist as messagelist';
'require sms_gateway.options as options';
'require sms_gateway.service as service';
'require sms_gateway.style as style';
'require sms_gateway.ussddialogue as ussddialogue';

return view.extend({
	handleSave: null,
	handleSaveApply: null,
	handleReset: null,

	load: function() {
		return Promise.all([
			service.modems().catch(function() { return {}; }),
			L.resolveDefault(uci.load('sms_gateway'))
		]);
	},

	render: function(loaded) {
		const modems = (loaded[0].modems || []).map(function(modem) { return modem.name; }),
		      inbox = messagelist.make('inbox'),
		      outbox = messagelist.make('outbox'),
		      talks = conversations;

		const panes = [
			E('div', { 'data-tab': 'conversations', 'data-tab-title': _('Conversations') }, [
				talks.render({ modems: modems, groups: options.groups() })
			]),
			E('div', { 'data-tab': 'inbox', 'data-tab-title': _('Inbox') }, [ inbox.render() ]),
			E('div', { 'data-tab': 'outbox', 'data-tab-title': _('Outbox') }, [ outbox.render() ]),
			E('div', { 'data-tab': 'ussd', 'data-tab-title': _('USSD') }, [ ussddialogue.render(modems) ])
		];
		const parts = { conversations: talks, inbox: inbox, outbox: outbox },
		      tabs = E('div', {}, panes);

		ui.tabs.initTabGroup(tabs.querySelectorAll('[data-tab-title]'));

		function active() {
			return panes.filter(function(pane) { return pane.getAttribute('data-tab-active') == 'true'; })[0] || panes[0];
		}

		/* Only what is seen is asked for. */
		function refresh() {
			const shown = parts[active().getAttribute('data-tab')];

			return shown ? shown.refresh() : Promise.resolve();
		}

		panes.forEach(function(pane) {
			pane.addEventListener('cbi-tab-active', refresh);
		});

		const wanted = window.location.hash.slice(1),
		      tab = wanted && /^[a-z]+$/.test(wanted) ? tabs.querySelector('.cbi-tabmenu [data-tab="' + wanted + '"] > *') : null;

		if (tab)
			tab.click();

		poll.add(refresh, 5);

		return refresh().then(function() {
			return E('div', { 'class': 'cbi-map' }, [
				style.node(),
				E('h2', { 'name': 'content' }, [ _('Messages') ]),
				E('div', { 'class': 'cbi-section' }, [ tabs ])
			]);
		});
	}
});
