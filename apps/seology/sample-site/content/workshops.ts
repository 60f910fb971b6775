/** Courses: a list, the courses, a calendar, and what scripts make of it. */

import { figure, type Page, paragraphs } from '../page.ts'
import { voucher } from './shop.ts'

/** What every course page says after its own words. */
const goodToKnow = `<h2>Good to know</h2>
${paragraphs(
  'Clay, glazes and both firings are included. Wear something that may get dirty and shoes that you can slip off; short fingernails are a help. We are never more than eight at eight wheels, and two of us are there for questions. What you have made is ready four weeks later, for it has to dry, to be fired, glazed and fired again.',
  'Should you fall ill, tell us by the evening before and choose another date. Lunch is soup and bread at the long table. The studio is on the ground floor, without steps, and one of the wheels can be worked from a wheelchair.',
)}`

export const workshopPages: Page[] = [
  {
    path: '/workshops/',
    title: 'Workshops for beginners and others – Kiln & Clay',
    description:
      'Courses at the wheel and by hand, in small groups, for beginners, children and the incurable.',
    image: 'workshops',
    main: () => `<h1>Workshops</h1>
<p class="lead">Eight wheels, two teachers, one long table.</p>
<p>Nobody is born able to centre a lump of clay, and nobody has left us without being able to. Choose by the time that you have: an evening, a day, or ten weeks. All courses take place in the studio in Millbrook.</p>
<ul class="cards">
<li><a href="/workshops/wheel-throwing">A day at the wheel</a><span>From the ball to the bowl, on a Saturday.</span></li>
<li><a href="/workshops/wheel-throwing-evening">Ten evenings at the wheel</a><span>Slower, and further.</span></li>
<li><a href="/workshops/hand-building">Building by hand</a><span>Slabs, coils and pinch pots.</span></li>
<li><a href="/workshops/kids">Children’s mornings</a><span>From six years on, with or without parents.</span></li>
<li><a href="/workshops/gift-voucher">A voucher for any course</a><span>The date can be chosen later.</span></li>
</ul>
<h2>When and how</h2>
<p>See the <a href="/workshops/calendar/${thisMonth()}">calendar of this month</a>, or which <a href="/workshops/live-places">places are free right now</a>. To reserve one, go to the <a href="/workshops/book">booking desk</a>. ${'Courses are paid for on the day. '}If a course is full, we keep a list, and every second time somebody cancels. Regular members have a firing rota of their own and may use the wheels whenever there is no course. If you have never touched clay before, take the day; if you have, and it would not obey, take the evenings.</p>
${goodToKnow}`,
  },
  {
    path: '/workshops/wheel-throwing',
    title: 'Learn to throw on the wheel – Kiln & Clay',
    description:
      'One Saturday at the wheel: centring, opening and pulling up the walls of your first three bowls.',
    image: 'wheel',
    defects: ['title-duplicate'],
    main: () => `<h1>A day at the wheel</h1>
${figure('wheel', 'Two hands centring clay on a wheel')}
${paragraphs(
  'The day begins at ten with kneading, because all that goes wrong later goes wrong here. By eleven everybody sits at a wheel and learns to centre, which is the one thing that cannot be explained and has to be felt; we put our hands around yours until it is. Before lunch you open the clay and pull a wall that stands. After lunch you do it again, twenty times.',
  'At four we cut everything in two with a wire to look at the walls from the side, and you keep the three bowls that you like best. It is a tiring day. People sleep very well after it.',
)}
${goodToKnow}`,
  },
  {
    path: '/workshops/wheel-throwing-evening',
    title: 'Learn to throw on the wheel – Kiln & Clay',
    description:
      'Ten Tuesday evenings at the wheel, from the first cylinder to a teapot whose lid fits and stays on.',
    image: 'wheel',
    defects: ['title-duplicate'],
    main: () => `<h1>Ten evenings at the wheel</h1>
${figure('wheel', 'A row of wheels under lamps')}
${paragraphs(
  'What a day can only begin, ten evenings carry further. We meet on Tuesdays from half past six to nine. The first three evenings are for cylinders and nothing else: a mug is a cylinder with a handle, a jug is one with a spout. Then come bowls, then plates, which look simple and are not, and turning, which repairs what the wheel has left undone.',
  'In the last weeks everybody makes a teapot. It consists of four parts that have to shrink alike, and it has been the end of many proud careers. The lids fit in about one case out of two, and the others make good stories.',
)}
${goodToKnow}`,
  },
  {
    path: '/workshops/hand-building',
    title: 'Building by hand, without a wheel – Kiln & Clay',
    description:
      'Pinch pots, coils and slabs: a weekend of building by hand, the way pots were made for millennia.',
    image: 'hand-building',
    defects: ['jsonld-invalid'],
    main: () => `<h1>Building by hand</h1>
${figure('hand-building', 'Coils of clay laid on each other')}
${paragraphs(
  'For most of the time in which there have been pots, there was no wheel. A ball, a thumb and some patience make a bowl; a handful of coils makes a jar as tall as a child. On this weekend we go through the three ways of building, one after the other, and everybody ends with a piece of their own design.',
  'Saturday is for pinching and coiling. On Sunday we roll slabs, cut them by patterns of paper and join them with slip, much as a tailor would. The pieces are larger than those from the wheel, and they carry the marks of those who made them in a way that thrown pots rarely do.',
)}
${goodToKnow}
<script type="application/ld+json">
{ "@context": "https://schema.org", "@type": "Course", "name": "Building by hand", }
</script>`,
  },
  {
    path: '/workshops/kids',
    title: 'Children’s mornings in the studio – Kiln & Clay',
    description:
      'Saturday mornings for children from six: animals, whistles and masks, with or without their parents.',
    image: 'kids',
    defects: [{ id: 'blocked-resources', mode: 'browser' }],
    headAfter: () => '<script src="/assets/private/booking-widget.js" defer></script>',
    main: () => `<h1>Children’s mornings</h1>
${figure('kids', 'A clay hedgehog beside a clay snail')}
${paragraphs(
  'Children do not need to be taught that clay is good to touch. What they need is somebody who shows them how to make a hedgehog that does not fall apart in the fire: hollow, with walls of the thickness of a finger, and with a hole where the air gets out. We do animals in spring, whistles in summer, masks in autumn and lanterns before Christmas.',
  'The mornings last from ten to half past twelve, with a break for apples. Parents may stay and make something too, though experience shows that theirs will be the worse hedgehog. Up to ten children can come; those under six bring somebody tall.',
)}
${goodToKnow}`,
  },
  voucher(
    '/workshops/gift-voucher',
    'Voucher for a pottery course – Kiln & Clay',
    'A voucher for any of our courses, with a ball of clay in the box so that impatient people may begin.',
  ),
  {
    path: '/workshops/live-places',
    title: 'Places that are free right now – Kiln & Clay',
    description:
      'Which of our courses still have a place this week, counted while you look, and how to get one.',
    // The words and one link are made by a script: without one, there is next to nothing.
    defects: [{ id: 'content-thin', mode: 'fetch' }],
    main: () => '<h1>Free places</h1>\n<div id="places"></div>',
    bodyEnd: '<script src="/assets/live-places.js"></script>\n',
  },
  {
    path: '/workshops/last-minute',
    title: 'Last-minute places at half the price – Kiln & Clay',
    description:
      'Places that are still free two days before a course are given away at half the price, first come.',
    image: 'wheel',
    listed: false,
    browserOnly: true,
    main: () => `<h1>Last-minute places</h1>
${paragraphs(
  'An empty wheel is a sad sight. Two days before a course begins, whatever is free costs half. The list changes by the hour, and so it is not printed anywhere: it is made while you look at it, and whoever writes first has the place. We answer every message the same day, if only to say that somebody was quicker.',
  'There is no list of those who would like to be told. We tried it, and it filled within a week with the names of people who wanted to come in principle. If you live near enough to come within two days, look on Thursdays after lunch; that is when most people remember that they are going away for the weekend.',
)}
${goodToKnow}`,
  },
  {
    path: '/workshops/book',
    title: 'The booking desk – Kiln & Clay',
    description:
      'The booking desk has moved to our contact page, where a form takes your name and the date you want.',
    listed: false,
    canonical: null,
    defects: [{ id: 'redirect-client', mode: 'browser' }],
    headBefore: () => '<meta http-equiv="refresh" content="0; url=/contact">',
    main: () => '<h1>The booking desk has moved</h1>\n<p><a href="/contact">To the contact page</a></p>',
  },
]

/** A month of the calendar; it leads to the same month of other years, without an end in either direction. */
export function calendarPage(year: number, month: string): Page {
  return {
    path: `/workshops/calendar/${year}-${month}`,
    title: `Courses in ${year}-${month} – Kiln & Clay`,
    description: `All courses of the month ${month} of the year ${year}, as far as they have been planned by now.`,
    robots: 'noindex, follow',
    main: () => `<h1>Courses in ${year}-${month}</h1>
<p>Every Saturday a day at the wheel, every Tuesday an evening. For planners:</p>
<p><a href="/workshops/calendar/${year - 1}-${month}">The month a year before</a> ·
<a href="/workshops/calendar/${year + 1}-${month}">The month a year after</a></p>`,
  }
}

export function thisMonth(now = new Date()): string {
  return now.toISOString().slice(0, 7)
}

/** Makes the text of the live page, and the only link to the last-minute page. */
export const livePlacesScript = `const texts = ${JSON.stringify([
  'Counted a moment ago, while this page was loading. On Saturday two wheels are free for the whole day, one of them beside the window and one beside the kiln, which is the warmer place at this time of the year. On Tuesday evening somebody has fallen ill, and we are looking for a guest for the fourth of the ten evenings: whoever can centre may come, whoever can not had better wait for the next round.',
  'For building by hand there are three places left at the end of the month. Bring a friend: it is more pleasant in pairs, because slabs are easier to lift with four hands than with two. The children’s mornings are full until the holidays. We keep a list, and since children are often ill and quickly well again, those at the top of it have a fair chance.',
  'If a place that you see here is gone when you arrive at the desk, somebody was quicker by some minutes. It does not happen often. Reserved places are kept for two days without payment. After that they return to this list, at half the price if the course is near, and then it is worth looking at the page for places at the last minute.',
])}
const places = document.getElementById('places')
for (const text of texts) {
  const paragraph = document.createElement('p')
  paragraph.textContent = text
  places.append(paragraph)
}
const link = document.createElement('a')
link.href = '/workshops/last-minute'
link.textContent = 'Places at the last minute'
places.append(link)
`
