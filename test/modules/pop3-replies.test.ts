import t from 'tap';
import { parsePhoneNumber } from '../../src/base/phone-number.ts';
import type { Pop3Config } from '../../src/config/config.ts';
import { replyToken } from '../../src/modules/kit/reply-token.ts';
import { decide } from '../../src/modules/pop3/decide.ts';
import { ownText } from '../../src/modules/pop3/mail-text.ts';
import { parseMail } from '../../src/modules/pop3/parse-mail.ts';
import { memoryNotebook } from '../support/memory-notebook.ts';

/*
 * Answers to forwarded messages, as mail programs write them: only what the person wrote goes out as SMS, and the token
 * never does.
 */
const config = {
  ...{ limit: 1_000, loose_subject: false, max_recipients: 1, strip_signature: false, allow_from: [] as string[] },
} as unknown as Pop3Config;

const number = parsePhoneNumber('+37060000009');
if (number === undefined) throw new Error('no number');
const book = memoryNotebook();
const token = await replyToken(number, book);
const tag = token.slice(-13, -1);

/** What becomes of an answer with this body. */
async function answer(type: 'plain' | 'html', body: string, subject = `Re: SMS ${token}`): Promise<string> {
  const headers = ['From: boss@example.com', `Subject: ${subject}`, `Content-Type: text/${type}; charset=utf-8`];
  const mail = await parseMail(Buffer.from([...headers, '', body].join('\r\n')));
  const decision = decide(mail, config, book);
  return decision.type === 'send' ? decision.text : `not sent: ${decision.reason}`;
}

/** From, sent, to and subject, as Outlook writes them. */
const headerLabels = {
  English: ['From', 'Sent', 'To', 'Subject'],
  German: ['Von', 'Gesendet', 'An', 'Betreff'],
  French: ['De', 'Envoyé', 'À', 'Objet'],
  Spanish: ['De', 'Enviado el', 'Para', 'Asunto'],
  Italian: ['Da', 'Inviato', 'A', 'Oggetto'],
  Portuguese: ['De', 'Enviada em', 'Para', 'Assunto'],
  Polish: ['Od', 'Wysłano', 'Do', 'Temat'],
  Lithuanian: ['Nuo', 'Išsiųsta', 'Kam', 'Tema'],
  Latvian: ['No', 'Nosūtīts', 'Kam', 'Tēma'],
  Estonian: ['Saatja', 'Saadetud', 'Adressaat', 'Teema'],
  Russian: ['От', 'Отправлено', 'Кому', 'Тема'],
  Ukrainian: ['Від', 'Надіслано', 'Кому', 'Тема'],
  Dutch: ['Van', 'Verzonden', 'Aan', 'Onderwerp'],
  Swedish: ['Från', 'Skickat', 'Till', 'Ämne'],
  Danish: ['Fra', 'Sendt', 'Til', 'Emne'],
  Finnish: ['Lähettäjä', 'Lähetetty', 'Vastaanottaja', 'Aihe'],
  Czech: ['Od', 'Odesláno', 'Komu', 'Předmět'],
  Slovak: ['Od', 'Odoslané', 'Komu', 'Predmet'],
  Hungarian: ['Feladó', 'Elküldve', 'Címzett', 'Tárgy'],
  Romanian: ['De la', 'Trimis', 'Către', 'Subiect'],
  Croatian: ['Šalje', 'Poslano', 'Prima', 'Predmet'],
  Bulgarian: ['От', 'Изпратено', 'До', 'Относно'],
  Greek: ['Από', 'Στάλθηκε', 'Προς', 'Θέμα'],
  Turkish: ['Kimden', 'Gönderildi', 'Kime', 'Konu'],
  Chinese: ['发件人', '发送时间', '收件人', '主题'],
  Japanese: ['差出人', '送信日時', '宛先', '件名'],
  Korean: ['보낸 사람', '보낸 날짜', '받는 사람', '제목'],
  Welsh: ['Oddi wrth', 'Anfonwyd', 'At', 'Pwnc'],
} as const;

t.test('Outlook', async (t) => {
  for (const [language, labels] of Object.entries(headerLabels)) {
    for (const colon of [':', ' :', '：']) {
      const values = ['SMS Gateway <gateway@example.com>', '24.11.2026 10:00', 'boss@example.com', `SMS ${token}`];
      const block = labels.map((label, at) => `${label}${colon} ${values[at]}`);
      const old = `${block.join('\r\n')}\r\n\r\nWho are you?\r\nSMS forwarded from: +37060000009`;
      t.equal(await answer('plain', `A gateway.\r\n\r\n${old}`), 'A gateway.', language);
      t.equal(await answer('plain', `A gateway.\r\n\r\n________________________________\r\n${old}`), 'A gateway.');
      t.equal(await answer('plain', `A gateway.\r\n\r\n-----Original Message-----\r\n${old}`), 'A gateway.');
      const html = labels
        .map((label, at) => `<b>${label}${colon}</b> ${values[at]?.replace('<', '&lt;')}<br>`)
        .join('');
      const desk = `<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p>${html}</p></div>`;
      const browser = `<div id="appendonsend"></div><hr><div id="divRplyFwdMsg" dir="ltr">${html}</div>`;
      for (const above of [desk, browser, `<p>${html}</p>`]) {
        const page = `<html><body><p class="MsoNormal">A gateway.<o:p></o:p></p>${above}<p>Who are you?</p></body></html>`;
        t.equal(await answer('html', page), 'A gateway.', `${language}: ${above}`);
      }
      // Where the subject was changed, and no token shows what is quoted.
      if (language === 'Welsh') continue;
      t.equal(ownText(`A gateway.\n\n${[...block.slice(0, 3), `${labels[3]}: SMS`].join('\n')}\n\nWho?`), 'A gateway.');
    }
  }
});

/** The line above a quotation. */
const introductions = [
  'Vào Th 2, 24 thg 11, 2026 vào lúc 10:00 SMS Gateway <gateway@example.com> đã viết:',
  'Pada tanggal Sen, 24 Nov 2026 pukul 10.00 SMS Gateway <gateway@example.com> menulis:',
  'На пн, 24.11.2026 г. в 10:00 SMS Gateway <gateway@example.com> написа:',
  'pon, 24. stu 2026. u 10:00 SMS Gateway <gateway@example.com> napisao je:',
  'V V pon., 24. nov. 2026 ob 10:00 je oseba SMS Gateway <gateway@example.com> napisala:',
  'ในวันที่ จ. 24 พ.ย. 2026 เวลา 10:00 SMS Gateway <gateway@example.com> เขียนว่า:',
  'सोम, 24 नव॰ 2026 को 10:00 am बजे को SMS Gateway <gateway@example.com> ने लिखा:',
  'در تاریخ دوشنبه ۲۴ نوامبر ۲۰۲۶،‏ ۱۰:۰۰ SMS Gateway <gateway@example.com> نوشت:',
  'Missatge de SMS Gateway <gateway@example.com> del dia dl., 24 de nov. 2026 a les 10:00:',
  'On Mon, 24 Nov 2026 at 10:00, SMS Gateway <gateway@example.com> wrote:',
  'On Mon, Nov 24, 2026 at 10:00 AM SMS Gateway via Some Long Company Name\r\n<gateway@example.com> wrote:',
  'On Mon, Nov 24, 2026 at 10:00 AM SMS Gateway <gateway@example.com>\r\nwrote:',
  'On 24.11.26 10:00, gateway@example.com wrote:',
  '> On 24 Nov 2026, at 10:00, gateway@example.com wrote:',
  'Am Mo., 24. Nov. 2026 um 10:00 Uhr schrieb SMS Gateway <gateway@example.com>:',
  'Am 24.11.2026 um 10:00 schrieb gateway@example.com:',
  'Le lun. 24 nov. 2026 à 10:00, SMS Gateway <gateway@example.com> a écrit :',
  'Le 24/11/2026 à 10:00, gateway@example.com a écrit\u00a0:',
  'El lun, 24 nov 2026 a las 10:00, SMS Gateway (<gateway@example.com>) escribió:',
  'Il giorno lun 24 nov 2026 alle ore 10:00 SMS Gateway <gateway@example.com> ha scritto:',
  'Il 24/11/2026 10:00, gateway@example.com ha scritto:',
  'Em seg., 24 de nov. de 2026 às 10:00, SMS Gateway <gateway@example.com> escreveu:',
  'pon., 24 lis 2026 o 10:00 SMS Gateway <gateway@example.com> napisał(a):',
  'W dniu 24.11.2026 o 10:00, gateway@example.com pisze:',
  '2026-11-24, pr, 10:00 SMS Gateway <gateway@example.com> rašė:',
  'пн, 24 нояб. 2026 г. в 10:00, SMS Gateway <gateway@example.com>:',
  '24.11.2026 10:00, SMS Gateway пишет:',
  'пн, 24 лист. 2026 р. о 10:00 SMS Gateway <gateway@example.com> пише:',
  'Op ma 24 nov 2026 om 10:00 schreef SMS Gateway <gateway@example.com>:',
  'Den mån 24 nov. 2026 kl 10:00 skrev SMS Gateway <gateway@example.com>:',
  'ma 24. marrask. 2026 klo 10.00 SMS Gateway (gateway@example.com) kirjoitti:',
  'po 24. 11. 2026 v 10:00 odesílatel SMS Gateway <gateway@example.com> napsal:',
  'SMS Gateway <gateway@example.com> ezt írta (időpont: 2026. nov. 24., H, 10:00):',
  'Pe lun., 24 nov. 2026 la 10:00, SMS Gateway <gateway@example.com> a scris:',
  'SMS Gateway <gateway@example.com>, 24 Kas 2026 Pzt, 10:00 tarihinde şunu yazdı:',
  '2026年11月24日(月) 10:00 SMS Gateway <gateway@example.com>:',
  'gateway@example.com 于2026年11月24日周一 10:00写道：',
];

t.test('introductions', async (t) => {
  for (const introduction of introductions) {
    for (const quoted of [
      '> Who are you?\r\n>\r\n> SMS forwarded from: 1',
      '\r\n> Who are you?',
      '>Who?\r\n>> older',
    ]) {
      t.equal(await answer('plain', `A gateway.\r\n\r\n${introduction}\r\n${quoted}`), 'A gateway.', introduction);
      t.equal(
        await answer('plain', `${introduction}\r\n${quoted}\r\n\r\nA gateway.`),
        'A gateway.',
        `below, ${introduction}`,
      );
    }
    const html = introduction.replace(/</g, '&lt;').replace('\r\n', '<br>');
    const programs = {
      Gmail: `<div dir="ltr">A gateway.</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">${html}<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex">Who?</blockquote></div>`,
      'Apple Mail': `<div>A gateway.</div><div><br><blockquote type="cite"><div>${html}</div><br></blockquote></div><blockquote type="cite"><div>Who?</div></blockquote>`,
      Thunderbird: `<p>A gateway.</p><div class="moz-cite-prefix">${html}<br></div><blockquote type="cite" cite="mid:1">Who?</blockquote>`,
      'Thunderbird, below': `<div class="moz-cite-prefix">${html}<br></div><blockquote type="cite" cite="mid:1">Who?</blockquote><p>A gateway.</p>`,
      Yahoo: `<div>A gateway.</div><div class="yahoo_quoted"><div>${html}</div><div>Who?</div></div>`,
      GMX: `<div>A gateway.</div><div name="quote" style="margin:10px 5px"><div>${html}</div><div>Who?</div></div>`,
      'a plain blockquote': `A gateway.<p>${html}<blockquote>Who?<blockquote>older</blockquote></blockquote>`,
    };
    for (const [program, body] of Object.entries(programs)) {
      t.equal(await answer('html', body), 'A gateway.', `${program}: ${introduction}`);
    }
  }
  // Without a mark on the quoted lines.
  for (const introduction of introductions.filter((line) => !/^(>|пн, 24 нояб|2026年)/.test(line))) {
    t.equal(await answer('plain', `A gateway.\r\n\r\n${introduction}\r\n\r\nWho are you?`), 'A gateway.', introduction);
  }
});

t.test('the token is never sent', async (t) => {
  const wrapped = token.replace(/ (?=[a-z])/, '\r\n ');
  const cases: readonly (readonly [string, string])[] = [
    [`A gateway.\r\n\r\nSubject: ${token}`, 'A gateway.'],
    [`A gateway.\r\n${token}`, 'A gateway.'],
    [`A gateway.\r\n> Subject: Re: SMS ${wrapped.replace('\r\n', '\r\n>')}`, 'A gateway.'],
    [`A gateway.\r\nBlah: x\r\nBlah: y\r\nSubject: ${wrapped}`, 'A gateway.'],
    [`A gateway.\r\n<mailto:gateway@example.com?subject=%5BSMS%20%2B37060000009%20${tag}%5D>`, 'A gateway.'],
    [`A gateway. ${token}`, 'not sent: it has no text'],
    [`${token}\r\nA gateway.`, 'not sent: it has no text'],
    [`A gate\u200bway.\r\n[SMS\u00a0+37060000009\u00a0${tag}]`, 'A gateway.'],
  ];
  for (const [body, text] of cases) {
    t.equal(await answer('plain', body), text, body);
    t.equal(await answer('html', `<pre>${body.replace(/</g, '&lt;')}</pre>`), text, `HTML: ${body}`);
  }
  // A mail that is no answer gives it away no more.
  t.equal(
    await answer('plain', `Look\r\n\r\nVon: x\r\nGesendet: y\r\nBetreff: ${token}\r\n\r\nmore`, '+37060000001'),
    'Look',
  );
});

t.test('the text of the writer stays', async (t) => {
  const cases: readonly string[] = [
    'Buy:\n- milk\n- tea',
    'To: the pump\nFrom: the tank\nAmount: 5 l',
    'Date: today\nPlace: here',
    'He wrote:\nnothing',
    'From: me',
    'Is 5 > 4?',
    'a -- b',
    'See you at 10:00:\nat the gate',
    'De: acuerdo',
    'Tel: 123\nFax: 456\nMail: a@example.com',
  ];
  for (const text of cases) {
    t.equal(ownText(text), text, text);
    t.equal(await answer('plain', text), text, text);
  }
  t.equal(
    await answer('html', 'a<blockquote style="margin:0 0 0 40px;border:none;padding:0px">b</blockquote>c'),
    'a\n\nb\n\nc',
  );
  t.equal(ownText('Answer:\n\nOn Mon, 24 Nov 2026, A wrote:\n> x\n> y'), 'Answer:');
  for (const line of [
    ...['Sent from my iPhone', 'Von meinem iPhone gesendet', 'Envoyé de mon iPhone', 'Enviado desde mi iPhone'],
    ...['Inviato da iPhone', 'Wysłane z iPhone’a', 'Get Outlook for Android', 'Отправлено с iPhone'],
  ]) {
    t.equal(ownText(`A gateway.\n\n${line}`), 'A gateway.', line);
  }
});

t.test('hostile texts take linear time', async (t) => {
  const lines = [
    'On 2026 ',
    'From: a\n',
    'x:\n',
    '> a\n',
    'On 2026-11-24 a wrote\n',
    '[SMS +1 ',
    'a:b:',
    ' \n',
    'wrote: ',
  ];
  for (const line of lines) {
    const text = line.repeat(Math.ceil(500_000 / line.length));
    const start = performance.now();
    ownText(text);
    // A mail may have 20,000 lines.
    await answer('plain', text.split('\n').slice(0, 15_000).join('\n'));
    t.ok(performance.now() - start < 20_000, line);
  }
});
