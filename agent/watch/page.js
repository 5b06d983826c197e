/* Brings what is new into the page every ten seconds, and says so when nobody
 * answers.  Without it, the page asks the browser to load it again. */
(function () {
	'use strict';
	var every = 10000, patience = 8000;
	var button = document.getElementById('pause');
	var paused = false, busy = false, answered = new Date();

	function swap(old, fresh) {
		var focus = document.activeElement && document.activeElement.id;
		var open = [];

		if (old.innerHTML === fresh.innerHTML &&
		    old.className === fresh.className)
			return;
		old.querySelectorAll('details[open]').forEach(function (d) {
			open.push(d.id);
		});
		fresh.querySelectorAll('details').forEach(function (d) {
			d.open = open.indexOf(d.id) >= 0;
		});
		old.className = fresh.className;
		old.replaceChildren.apply(old, Array.from(fresh.childNodes));
		if (focus && document.activeElement.id !== focus &&
		    old.querySelector('#' + CSS.escape(focus)))
			document.getElementById(focus).focus();
	}

	function show(text) {
		var page = new DOMParser().parseFromString(text, 'text/html');

		if (!page.getElementById('verdict'))
			throw new Error('not the status page');
		document.querySelectorAll('[data-live]').forEach(function (old) {
			var fresh = page.getElementById(old.id);

			if (fresh)
				swap(old, fresh);
		});
		document.title = page.title;
		answered = new Date();
	}

	function complain() {
		var verdict = document.getElementById('verdict');
		var head = document.createElement('h2');

		head.textContent = 'UNKNOWN: the agent has not answered since ' +
		    answered.toLocaleTimeString() + '; what follows is from then';
		verdict.className = 'UNKNOWN';
		verdict.replaceChildren(head);
		document.title = 'no answer - sealfeed';
	}

	function refresh() {
		var stop = new AbortController();
		var timer;

		if (paused || busy || document.hidden)
			return;
		busy = true;
		timer = setTimeout(function () { stop.abort(); }, patience);
		fetch(location.pathname, { cache: 'no-store', signal: stop.signal })
		    .then(function (reply) {
			if (!reply.ok)
				throw new Error(reply.status);
			return reply.text();
		    })
		    .then(show)
		    .catch(complain)
		    .finally(function () {
			clearTimeout(timer);
			busy = false;
		    });
	}

	button.hidden = false;
	button.addEventListener('click', function () {
		paused = !paused;
		button.textContent = paused ? 'Go on' : 'Pause';
		button.setAttribute('aria-pressed', String(paused));
		refresh();
	});
	document.addEventListener('visibilitychange', refresh);
	setInterval(refresh, every);
}());
