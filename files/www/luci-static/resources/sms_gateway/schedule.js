'use strict';
'require baseclass';

/* What a scheduled message does, in words. */

const weekdays = {
	mon: _('Monday'), tue: _('Tuesday'), wed: _('Wednesday'), thu: _('Thursday'), fri: _('Friday'),
	sat: _('Saturday'), sun: _('Sunday')
};

const months = [
	_('January'), _('February'), _('March'), _('April'), _('May'), _('June'), _('July'), _('August'), _('September'),
	_('October'), _('November'), _('December')
];

function two(value) {
	return '%02d'.format(+value || 0);
}

function dayOfMonth(value) {
	return value == '28-31' ? _('the last day') : _('day %s').format(value || '1');
}

return baseclass.extend({
	weekdays: weekdays,
	months: months,

	/* value(option) is asked for each option. */
	words: function(value) {
		const minute = value('minute'),
		      hour = value('hour'),
		      time = two(hour == null || hour === '' ? 1 : hour) + ':' + two(minute == null || minute === '' ? 1 : minute);

		if (value('date'))
			return _('Once, on %s').format(value('date'));
		if (value('cron'))
			return _('By cron: %s').format(value('cron'));

		switch (value('repeats') || 'day') {
		case 'week':
			return _('Every %s at %s').format(weekdays[value('weekday')] || weekdays.sun, time);
		case 'month':
			return _('Every month on %s at %s').format(dayOfMonth(value('monthday')), time);
		case 'year':
			return _('Every year in %s on %s at %s').format(months[(+value('month') || 1) - 1], dayOfMonth(value('monthday')), time);
		default:
			return _('Every day at %s').format(time);
		}
	}
});
