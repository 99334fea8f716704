'use strict';
'require baseclass';
'require sms_gateway.service as service';

/* Messages in and out per hour, as inline SVG; widths in percent, so that it fits any page. */

const HEIGHT = 100;

function shape(tag, attributes, title) {
	const node = document.createElementNS('http://www.w3.org/2000/svg', tag);

	for (let name in attributes)
		node.setAttribute(name, attributes[name]);

	if (title != null) {
		const words = document.createElementNS('http://www.w3.org/2000/svg', 'title');

		words.textContent = title;
		node.appendChild(words);
	}

	return node;
}

return baseclass.extend({
	/* hours: { time, in, out }, oldest first. */
	make: function(hours) {
		const highest = hours.reduce(function(most, hour) { return Math.max(most, hour.in + hour.out); }, 0),
		      /* A round number above the highest, so that the lines stand for whole messages. */
		      top = [ 4, 8, 12, 20, 40, 60, 100, 200, 400, 1000, 2000, 4000, 10000 ].filter(function(n) { return n >= highest; })[0] || highest,
		      received = hours.reduce(function(sum, hour) { return sum + hour.in; }, 0),
		      sent = hours.reduce(function(sum, hour) { return sum + hour.out; }, 0),
		      width = 100 / Math.max(hours.length, 1);

		const svg = shape('svg', {
			'class': 'sg-chart',
			'viewBox': '0 0 100 ' + HEIGHT,
			'preserveAspectRatio': 'none',
			'role': 'img',
			'aria-label': _('Messages per hour in the last day: %d received, %d sent').format(received, sent)
		});

		for (let i = 0; i <= 4; i++)
			svg.appendChild(shape('line', {
				x1: 0, x2: 100, y1: i * HEIGHT / 4, y2: i * HEIGHT / 4, 'vector-effect': 'non-scaling-stroke'
			}));

		hours.forEach(function(hour, i) {
			const words = '%s: %s'.format(service.clock(hour.time), _('%d received, %d sent').format(hour.in, hour.out)),
			      x = i * width + width * .15,
			      low = hour.in / top * HEIGHT,
			      high = hour.out / top * HEIGHT;

			if (hour.in)
				svg.appendChild(shape('rect', { 'class': 'in', x: x, y: HEIGHT - low, width: width * .7, height: low }));
			if (hour.out)
				svg.appendChild(shape('rect', { 'class': 'out', x: x, y: HEIGHT - low - high, width: width * .7, height: high }));

			/* The whole column answers to the pointer. */
			svg.appendChild(shape('rect', { x: i * width, y: 0, width: width, height: HEIGHT, fill: 'transparent' }, words));
		});

		return E('div', {}, [
			E('div', { 'class': 'sg-legend' }, [
				E('span', {}, [ E('i', { 'class': 'in' }), N_(received, '%d message received', '%d messages received').format(received) ]),
				E('span', {}, [ E('i', { 'class': 'out' }), N_(sent, '%d message sent', '%d messages sent').format(sent) ]),
				E('span', { 'class': 'sg-muted' }, [ _('highest line: %d an hour').format(top) ])
			]),
			svg,
			E('div', { 'class': 'sg-axis', 'aria-hidden': 'true' }, [ 0, 6, 12, 18, hours.length - 1 ].filter(function(i) {
				return hours[i];
			}).map(function(i, at, all) {
				return E('span', {}, [ at == all.length - 1 ? _('now') : service.clock(hours[i].time) ]);
			}))
		]);
	}
});
