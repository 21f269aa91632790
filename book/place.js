// Where the reader is: the place in each chapter is kept, chapters read to their end are marked in the sidebar, and the
// front page offers to go on.
(() => {
  const KIND = "place";
  const isPlace = (value) => typeof value?.title === "string" && typeof value.when === "number";
  const later = (mine, other) => ({ ...(other.when > mine.when ? other : mine), read: mine.read || other.read });
  courseStore.define(KIND, { valid: isPlace, merge: later });

  const nameOf = (address) => new URL(address, location.href).pathname.match(/\/(\d\d_\w+)\.html$/)?.[1];
  const chapter = nameOf(location.href);
  const titleOf = (section) => section.querySelector("h1, h2, h3").firstChild.textContent.trim();

  function keepPlace() {
    const heading = document.querySelector("h1").firstChild.textContent.trim();
    const keep = (change) => courseStore.set(KIND, chapter, (old) => ({ heading, title: "", section: "", ...old, ...change, when: Date.now() }));
    const arrived = new IntersectionObserver(
      (entries) => {
        const entry = entries.find(({ isIntersecting }) => isIntersecting);
        if (entry && scrollY > 0) keep({ section: entry.target.id, title: titleOf(entry.target) });
      },
      { rootMargin: "-15% 0px -80% 0px" },
    );
    for (const section of document.querySelectorAll(".bd-article section section[id]")) arrived.observe(section);
    const end = document.querySelector(".prev-next-footer");
    const ended = new IntersectionObserver((entries) => entries.some(({ isIntersecting }) => isIntersecting) && keep({ read: true }));
    if (end) ended.observe(end);
  }

  function markRead() {
    for (const link of document.querySelectorAll(".bd-sidebar-primary .bd-links a, .uo-chapters a")) {
      const isRead = courseStore.get(KIND, nameOf(link.href))?.read;
      if (!isRead || link.querySelector(".uo-read")) continue;
      const mark = Object.assign(document.createElement("span"), { className: "uo-read", textContent: "read" });
      link.append(" ", mark);
    }
  }

  function offerToGoOn() {
    const start = document.querySelector(".uo-start-course");
    const places = Object.entries(courseStore.all(KIND)).filter(([, { section }]) => section);
    if (!start || !places.length) return;
    const [name, { heading, title, section }] = places.reduce((a, b) => (b[1].when > a[1].when ? b : a));
    const link = Object.assign(document.createElement("a"), { href: `${name}.html#${section}`, textContent: `Go on with “${title}”, ${heading.split(":")[0]}` });
    const line = document.createElement("p");
    line.className = "uo-go-on";
    line.append(link);
    start.closest("p").after(line);
  }

  if (chapter) keepPlace();
  markRead();
  offerToGoOn();
  courseStore.watch(KIND, markRead);
})();
