'use strict';
'require baseclass';
'require dom';

/* A part of a page that is drawn again only when its data changed, and keeps the focus and what it was scrolled to. */
return baseclass.extend({
	__init__: function() {},

	/* draw: a function from the data to the children. Returns { node, show(data) }. */
	make: function(tag, attributes, draw) {
		const node = E(tag, attributes, []);
		let last;

		return {
			node: node,

			show: function(data) {
				const text = JSON.stringify(data);

				if (text === last)
					return false;

				const focused = node.contains(document.activeElement) ? document.activeElement.getAttribute('data-key') : null,
				      top = node.scrollTop;

				last = text;
				dom.content(node, draw(data));
				node.scrollTop = top;

				if (focused != null) {
					const again = node.querySelector('[data-key="' + CSS.escape(focused) + '"]');

					if (again)
						again.focus();
				}

				return true;
			},

			/* Draws again next time, whatever comes. */
			forget: function() {
				last = undefined;
			}
		};
	}
});
