<?php
// Tries each feature with PHP's SoapClient and prints a line of JSON for it: `php php.php URL PICTURE SCENE`.
declare(strict_types=1);

[, $url, $file, $scene] = $argv;
$picture = file_get_contents($file);

function client(string $feature, string $model = 'kinds', string $path = 'soap', array $more = []): SoapClient
{
    global $url;
    $address = "$url/$feature/$path/$model/v1";
    return new SoapClient("$address?wsdl", $more + [
        'location' => $address, 'cache_wsdl' => WSDL_CACHE_NONE, 'features' => SOAP_SINGLE_ELEMENT_ARRAYS,
        'soap_version' => $path === 'soap12' ? SOAP_1_2 : SOAP_1_1,
    ]);
}

function instance(array $changes = []): array
{
    global $picture;
    $grid = ['dtype' => 'float32', 'shape' => ['item' => [2, 3]], 'doubles' => ['item' => [1, 2, 3, 4, 5, 6]]];
    return $changes + [
        'flag' => true, 'count' => -3, 'total' => PHP_INT_MAX, 'level' => 200, 'ratio' => 0.1, 'offset' => null,
        'note' => 'note', 'left' => 0.25, 'right' => 0.75, 'series' => ['item' => [1.5, 2.5]],
        'codes' => ['item' => [7, 8]], 'words' => ['item' => ['one', '', 'x & y']], 'grid' => $grid,
        'picture' => $picture,
    ];
}

function predict(SoapClient $kinds, array $changes = []): stdClass
{
    return $kinds->predict(instance($changes))->predictResult;
}

function check(mixed $found, mixed $wanted): void
{
    if ($found !== $wanted) {
        throw new Exception('expected ' . var_export($wanted, true) . ', received ' . var_export($found, true));
    }
}

function scalars(SoapClient $kinds): void
{
    $a = predict($kinds);
    check([$a->flag, $a->count, $a->total, $a->level, $a->ratio], [true, -3, PHP_INT_MAX, 200, 0.1]);
}

function detail_of($feature, $model)
{
    try {
        client($feature, 'inference')->getModel(['modelName' => $model, 'version' => null]);
    } catch (SoapFault $e) {
        return $e->detail;
    }
    throw new Exception('no fault');
}

function invalid_input(SoapClient $kinds): void
{
    try {
        predict($kinds, ['level' => 256]);
    } catch (SoapFault $e) {
        $fault = $e->detail->InvalidInput;
        check([$fault->code, $fault->field, $fault->received], ['out-of-range', 'level', '256']);
        check($fault->expected !== '' && $fault->requestId !== '', true);
        return;
    }
    throw new Exception('no fault');
}

function text(string $feature, string $text): void
{
    check(predict(client($feature), ['note' => $text])->note, $text);
}

/** 16 processes, for PHP has no threads. */
function threads(): string
{
    $children = [];
    for ($number = 0; $number < 16; $number++) {
        $child = pcntl_fork();
        if ($child === 0) {
            $kinds = client('threads');
            for ($total = $number * 1000; $total < $number * 1000 + 500; $total++) {
                if (predict($kinds, ['total' => $total])->total !== $total) {
                    exit(1);
                }
            }
            exit(0);
        }
        $children[] = $child;
    }
    foreach ($children as $child) {
        pcntl_waitpid($child, $status);
        check(pcntl_wexitstatus($status), 0);
    }
    return '16 processes, for PHP has no threads';
}

$features = [
    'natural' => function () {
        $kinds = client('natural');
        check(in_array('predictResponse predict(predict $parameters)', $kinds->__getFunctions(), true), true);
        $request = array_values(array_filter($kinds->__getTypes(), fn($type) => str_starts_with($type, 'struct predict {')));
        check(
            preg_replace('/\s+/', ' ', $request[0]),
            'struct predict { boolean flag; int count; long total; int level; double ratio; double offset; '
            . 'string note; double left; double right; ArrayOfDouble series; ArrayOfLong codes; ArrayOfString words; '
            . 'Tensor grid; base64Binary picture; }',
        );
        return 'one request object, written as an array with names';
    },
    'scalars' => fn() => scalars(client('scalars')),
    'optional' => function () {
        check(predict(client('optional'))->shifted, 0.0);
        check(predict(client('optional'), ['offset' => 0.5])->shifted, 1.0);
    },
    'arrays' => function () {
        $answer = predict(client('arrays'));
        check([$answer->series->item, $answer->codes->item], [[1.5, 2.5], [7, 8]]);
        check($answer->words->item, ['one', '', 'x & y']);
        check((array) predict(client('arrays'), ['words' => ['item' => []]])->words, []);
        return 'with the feature SOAP_SINGLE_ELEMENT_ARRAYS';
    },
    'tensor' => function () {
        $grid = predict(client('tensor'))->grid;
        check([$grid->dtype, $grid->shape->item], ['float32', [2, 3]]);
        check($grid->doubles->item, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    },
    'image' => fn() => check(predict(client('image'))->pixels->content, implode('', array_map('chr', range(1, 12)))),
    'text' => fn() => text('text', ' <b> & "x" ]]> '),
    'utf8' => fn() => text('utf8', '你好 ü 😀'),
    'nan' => function () {
        $nan = new SoapVar('<left xmlns="urn:soapsvc:kinds:v1">NaN</left>', XSD_ANYXML);
        $answer = predict(client('nan'), ['left' => $nan, 'right' => -INF]);
        $scores = array_column($answer->scores->item, 'score', 'label');
        check([is_nan($scores['left']), $scores['right']], [true, -INF]);
        $answer = predict(client('nan'), ['left' => NAN, 'right' => -INF, 'series' => ['item' => [NAN, INF, -INF]]]);
        $scores = array_column($answer->scores->item, 'score', 'label');
        check([is_nan($scores['left']), $scores['right']], [true, -INF]);
        check(array_map('strval', $answer->series->item), ['NAN', 'INF', '-INF']);
    },
    'batch' => function () {
        $apart = unserialize(serialize([instance(), instance(['offset' => 2.0])]));
        $request = ['instances' => ['item' => $apart]];
        check(array_column(client('batch')->predictBatch($request)->predictBatchResult->item, 'shifted'), [0.0, 4.0]);
        return 'instances that share an array must be copied first, as by unserialize(serialize($instances)): '
            . 'SoapClient writes href for the second, which a literal message has not';
    },
    'records' => function () use ($picture, $scene) {
        $reader = client('records', 'digit-reader');
        $answer = $reader->predict(['image' => file_get_contents($scene)])->predictResult;
        $labels = implode('', array_map(fn($found) => $found->digit->item[0]->label, $answer->digits->item));
        check([$answer->text, $labels, round($answer->digits->item[0]->box->x)], ['173', '173', 86.0]);
        check((array) $reader->predict(['image' => $picture])->predictResult->digits, []);
        return 'with the feature SOAP_SINGLE_ELEMENT_ARRAYS';
    },
    'conversation' => function () {
        $chat = client('conversation', 'chat');
        $first = $chat->reply(['question' => 'My name is Ada'])->replyResult;
        $second = $chat->reply(['sessionId' => $first->sessionId, 'question' => 'What is my name?'])->replyResult;
        check([$first->sessionState, $second->sessionState], ['started', 'continued']);
        check($second->sentence, 'Your name is Ada.');
    },
    'invalid-input' => function () {
        invalid_input(client('invalid-input'));
        return 'one exception, SoapFault; its detail names the type';
    },
    'model-not-found' => function () {
        check(detail_of('model-not-found', 'nothing')->ModelNotFound->code, 'unknown-model');
    },
    'other-faults' => function () {
        check((int) detail_of('other-faults', 'full')->Overloaded->retryAfterSeconds, 2);
        check((float) detail_of('other-faults', 'late')->DeadlineExceeded->deadlineSeconds, 1.5);
        check((int) detail_of('other-faults', 'gone')->Unavailable->retryAfterSeconds, 2);
        check(detail_of('other-faults', 'locked')->AuthenticationFailed->code, 'authentication-failed');
    },
    'soap12' => function () {
        scalars(client('soap12', path: 'soap12'));
        invalid_input(client('soap12', path: 'soap12'));
    },
    'gzip-in' => function () {
        scalars(client('gzip-in', more: ['compression' => SOAP_COMPRESSION_GZIP | 6]));
        return "'compression' => SOAP_COMPRESSION_GZIP | 6";
    },
    'gzip-out' => function () {
        $numbers = ['dtype' => 'uint8', 'shape' => ['item' => [1, 3000]], 'longs' => ['item' => array_fill(0, 3000, 7)]];
        $request = ['modelName' => 'echo', 'version' => null, 'inputs' => ['item' => [['name' => 'x', 'tensor' => $numbers]]]];
        $inference = client('gzip-out', 'inference', more: ['compression' => SOAP_COMPRESSION_ACCEPT]);
        check($inference->predict($request)->predictResult->outputs->item[0]->tensor->longs->item, array_fill(0, 3000, 7));
        return "'compression' => SOAP_COMPRESSION_ACCEPT";
    },
    'threads' => fn() => threads(),
];
foreach ($features as $name => $feature) {
    try {
        [$ok, $note] = [true, $feature() ?? ''];
    } catch (Throwable $e) {
        [$ok, $note] = [false, get_class($e) . ': ' . $e->getMessage()];
    }
    echo json_encode(['feature' => $name, 'ok' => $ok, 'note' => $note]), "\n";
}
