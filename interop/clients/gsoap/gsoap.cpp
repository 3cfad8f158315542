// Tries each feature with gSOAP and prints a line of JSON for it: `gsoap URL PICTURE SCENE`. With -DSOAP12 only SOAP 1.2.
#include <math.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <thread>

#ifdef SOAP12
#include "KindsSoap12Binding.nsmap"
#include "soapKindsSoap12BindingProxy.h"
typedef KindsSoap12BindingProxy Kinds;
#else
#include "KindsBinding.nsmap"
#include "soapChatBindingProxy.h"
#include "soapDigitReaderBindingProxy.h"
#include "soapInferenceBindingProxy.h"
#include "soapKindsBindingProxy.h"
#include "wsaapi.h"
typedef KindsBindingProxy Kinds;
#endif

typedef std::vector<double> Doubles;
static std::string url;
static std::vector<unsigned char> picture, scene;
static const long long BIG = 9223372036854775807LL;

static void check(bool ok, const std::string &what) {
  if (!ok) throw std::runtime_error(what);
}

static void feature(const char *name, const char *note, const std::function<void()> &attempt) {
  bool ok = true;
  std::string said = note;
  try {
    attempt();
  } catch (const std::exception &e) {
    ok = false;
    said = e.what();
  }
  std::string escaped;
  for (char c : said.substr(0, 400)) escaped += c < ' ' || c == '"' || c == '\\' ? '\'' : c;
  std::cout << "{\"feature\": \"" << name << "\", \"ok\": " << (ok ? "true" : "false") << ", \"note\": \"" << escaped
            << "\"}" << std::endl;
}

static std::string fault_of(struct soap *soap) {
  char text[400] = "";
  soap_sprint_fault(soap, text, sizeof text);
  return text;
}

// One call of predict: its inputs, and what it needs in memory.
struct Call {
  Kinds proxy;
  std::string endpoint;
  ns1__ArrayOfDouble series, values;
  ns1__ArrayOfLong codes, shape;
  ns1__ArrayOfString words;
  ns1__Tensor grid;
  double offset;
  std::string note;
  xsd__base64Binary image;
  _ns1__predict request;
  _ns1__predictResponse response;

  explicit Call(const std::string &name, const char *path = "/soap/kinds/v1")
      : proxy(SOAP_C_UTFSTRING | SOAP_IO_KEEPALIVE, SOAP_C_UTFSTRING | SOAP_IO_KEEPALIVE),
        endpoint(url + "/" + name + path) {
    proxy.soap_endpoint = endpoint.c_str();
    proxy.soap->recv_timeout = 20;
    proxy.soap->double_format = "%.17lG";
    series.item = {1.5, 2.5};
    codes.item = {7, 8};
    words.item = {"one", "", "x & y"};
    shape.item = {2, 3};
    values.item = {1, 2, 3, 4, 5, 6};
    grid.dtype = ns1__DType__float32;
    grid.shape = &shape;
    grid.doubles = &values;
    request.flag = true;
    request.count = -2147483647 - 1;
    request.total = BIG;
    request.level = 200;
    request.ratio = 0.1;
    request.offset = NULL;
    note = "note";
    request.note = &note;
    request.left = 0.25;
    request.right = 0.75;
    request.series = &series;
    request.codes = &codes;
    request.words = &words;
    request.grid = &grid;
    image.__ptr = picture.data();
    image.__size = (int)picture.size();
    request.picture = &image;
  }

  ns1__Prediction &predict() {
    check(proxy.predict(&request, response) == SOAP_OK, fault_of(proxy.soap));
    return *response.predictResult;
  }

  void scalars() {
    ns1__Prediction &a = predict();
    check(a.flag && a.count == request.count && a.total == BIG && a.level == 200 && a.ratio == 0.1, "other values");
  }

  void invalid_input() {
    request.level = 256;
    check(proxy.predict(&request, response) != SOAP_OK, "no fault");
    SOAP_ENV__Fault *fault = proxy.soap->fault;
    SOAP_ENV__Detail *detail = fault->detail ? fault->detail : fault->SOAP_ENV__Detail;
    check(detail && detail->ns1__InvalidInput, "untyped: " + fault_of(proxy.soap));
    _ns1__InvalidInput &typed = *detail->ns1__InvalidInput;
    check(typed.code == "out-of-range" && typed.field == "level" && typed.received == "256", "other members");
    check(!typed.expected.empty() && !typed.requestId.empty(), "empty members");
  }
};

static void pixels(ns1__Prediction &answer) {
  check(answer.pixels->content && answer.pixels->content->__size == 12, "no 12 bytes");
  for (int i = 0; i < 12; i++) check(answer.pixels->content->__ptr[i] == i + 1, "other bytes");
}

static void text(const char *name, const char *note) {
  Call call(name);
  call.note = note;
  check(call.predict().note == note, "another text");
}

static void threads() {
  std::vector<std::thread> running;
  std::vector<std::string> wrong(16);
  for (int number = 0; number < 16; number++)
    running.emplace_back([number, &wrong] {
      try {
        Call call("threads");
        for (long long total = number * 1000; total < number * 1000 + 500; total++) {
          call.request.total = total;
          check(call.predict().total == total, "the answer of another call");
          call.proxy.destroy();
        }
      } catch (const std::exception &e) {
        wrong[number] = e.what();
      }
    });
  for (auto &thread : running) thread.join();
  for (auto &text : wrong) check(text.empty(), text);
}

#ifndef SOAP12
static void caught(const char *name, std::string model, const std::function<bool(SOAP_ENV__Detail &)> &typed) {
  InferenceBindingProxy proxy;
  std::string endpoint = url + "/" + name + "/soap/inference/v1";
  proxy.soap_endpoint = endpoint.c_str();
  _ns2__getModel request;
  _ns2__getModelResponse response;
  request.modelName = &model;
  check(proxy.getModel(&request, response) != SOAP_OK, "no fault");
  SOAP_ENV__Detail *detail = proxy.soap->fault->detail;
  check(detail && typed(*detail), "untyped, or another value: " + fault_of(proxy.soap));
}

static void model_not_found() {
  caught("model-not-found", "nothing", [](SOAP_ENV__Detail &detail) {
    return detail.ns2__ModelNotFound && detail.ns2__ModelNotFound->code == "unknown-model";
  });
}

static void other_faults() {
  caught("other-faults", "full", [](SOAP_ENV__Detail &detail) {
    return detail.ns2__Overloaded && detail.ns2__Overloaded->retryAfterSeconds == 2;
  });
  caught("other-faults", "late", [](SOAP_ENV__Detail &detail) {
    return detail.ns2__DeadlineExceeded && detail.ns2__DeadlineExceeded->deadlineSeconds == 1.5;
  });
  caught("other-faults", "gone", [](SOAP_ENV__Detail &detail) {
    return detail.ns2__Unavailable && detail.ns2__Unavailable->retryAfterSeconds == 2;
  });
  caught("other-faults", "locked", [](SOAP_ENV__Detail &detail) {
    return detail.ns2__AuthenticationFailed && detail.ns2__AuthenticationFailed->code == "authentication-failed";
  });
}

static void echo(const char *name, int mode, ns2__Tensor &sent, const std::function<void(ns2__Tensor &)> &look) {
  InferenceBindingProxy proxy(SOAP_C_UTFSTRING | mode, SOAP_C_UTFSTRING | mode);
  std::string endpoint = url + "/" + name + "/soap/inference/v1";
  proxy.soap_endpoint = endpoint.c_str();
  proxy.soap->recv_timeout = 20;
  ns2__NamedTensor named;
  named.name = "x";
  named.tensor = &sent;
  ns2__ArrayOfNamedTensor inputs;
  inputs.item = {&named};
  _ns2__predict request;
  _ns2__predictResponse response;
  std::string model = "echo";
  request.modelName = &model;
  request.inputs = &inputs;
  check(proxy.predict(&request, response) == SOAP_OK, fault_of(proxy.soap));
  look(*response.predictResult->outputs->item[0]->tensor);
}

static std::string read_digits(std::vector<unsigned char> &bytes, double &first_x) {
  DigitReaderBindingProxy proxy(SOAP_C_UTFSTRING, SOAP_C_UTFSTRING);
  std::string endpoint = url + "/records/soap/digit-reader/v1", labels;
  proxy.soap_endpoint = endpoint.c_str();
  xsd__base64Binary image;
  image.__ptr = bytes.data();
  image.__size = (int)bytes.size();
  _ns3__predict request;
  _ns3__predictResponse response;
  request.image = &image;
  check(proxy.predict(&request, response) == SOAP_OK, fault_of(proxy.soap));
  for (auto *found : response.predictResult->digits->item) labels += found->digit->item.at(0)->label;
  check(labels == response.predictResult->text, "another text");
  first_x = labels.empty() ? 0 : response.predictResult->digits->item[0]->box->x;
  return labels;
}

static void records() {
  double x;
  check(read_digits(scene, x) == "173" && lround(x) == 86, "other digits");
  check(read_digits(picture, x).empty(), "not empty");
}

static void conversation() {
  ChatBindingProxy proxy(SOAP_C_UTFSTRING, SOAP_C_UTFSTRING);
  std::string endpoint = url + "/conversation/soap/chat/v1", said = "My name is Ada", asked = "What is my name?";
  proxy.soap_endpoint = endpoint.c_str();
  _ns4__reply request;
  _ns4__replyResponse first, second;
  request.sessionId = NULL;
  request.question = &said;
  check(proxy.reply(&request, first) == SOAP_OK, fault_of(proxy.soap));
  check(first.replyResult->sessionState == ns4__SessionState__started, "not started");
  request.sessionId = &first.replyResult->sessionId;
  request.question = &asked;
  check(proxy.reply(&request, second) == SOAP_OK, fault_of(proxy.soap));
  check(second.replyResult->sessionState == ns4__SessionState__continued, "not continued");
  check(second.replyResult->sentence == "Your name is Ada.", "another sentence");
}

static void mtom_out(const char *name, int size) {
  std::vector<unsigned char> bytes(size);
  for (int i = 0; i < size; i++) bytes[i] = (unsigned char)(i * 31 + i / 251);
  xsd__base64Binary content;
  content.__ptr = bytes.data();
  content.__size = size;
  content.id = NULL;
  content.type = (char *)"application/octet-stream";
  content.options = NULL;
  ns2__Tensor tensor;
  ns2__ArrayOfLong shape;
  shape.item = {1, size};
  tensor.dtype = ns2__DType__uint8;
  tensor.shape = &shape;
  tensor.content = &content;
  echo(name, SOAP_ENC_MTOM, tensor, [&](ns2__Tensor &answer) {
    check(answer.content && answer.content->__size == size, "another size");
    check(memcmp(answer.content->__ptr, bytes.data(), size) == 0, "other bytes");
  });
}

static void gzip_out() {
  ns2__Tensor tensor;
  ns2__ArrayOfLong shape, longs;
  shape.item = {1, 3000};
  for (int i = 0; i < 3000; i++) longs.item.push_back(i % 256);
  tensor.dtype = ns2__DType__uint8;
  tensor.shape = &shape;
  tensor.longs = &longs;
  echo("gzip-out", 0, tensor,
       [&](ns2__Tensor &answer) { check(answer.longs && answer.longs->item == longs.item, "other values"); });
}

static void addressing(Call &call) {
  soap_register_plugin(call.proxy.soap, soap_wsa);
  soap_wsa_request(call.proxy.soap, soap_wsa_rand_uuid(call.proxy.soap), call.endpoint.c_str(),
                   "urn:soapsvc:kinds:v1:predict");
}

static void all() {
  const char *request_object = "one request object, struct-like; declared in the generated header";
  feature("natural", request_object, [] {
    _ns1__predict *request = NULL;
    bool &(*flag)(_ns1__predict *) = [](_ns1__predict *p) -> bool & { return p->flag; };
    int &(*count)(_ns1__predict *) = [](_ns1__predict *p) -> int & { return p->count; };
    LONG64 &(*total)(_ns1__predict *) = [](_ns1__predict *p) -> LONG64 & { return p->total; };
    double *&(*offset)(_ns1__predict *) = [](_ns1__predict *p) -> double *& { return p->offset; };
    double &(*left)(_ns1__predict *) = [](_ns1__predict *p) -> double & { return p->left; };
    ns1__Tensor *&(*grid)(_ns1__predict *) = [](_ns1__predict *p) -> ns1__Tensor *& { return p->grid; };
    check(!request && flag && count && total && offset && left && grid, "compiled, so they have these types");
  });
  feature("scalars", "double_format must be \"%.17lG\" for the last digits", [] { Call("scalars").scalars(); });
  feature("optional", "", [] {
    Call call("optional");
    check(call.predict().shifted == 0, "not the default");
    call.offset = 0.5;
    call.request.offset = &call.offset;
    check(call.predict().shifted == 1, "not used");
  });
  feature("arrays", "", [] {
    Call call("arrays");
    ns1__Prediction &answer = call.predict();
    check(answer.series->item == call.series.item && answer.codes->item == call.codes.item, "other numbers");
    check(answer.words->item == call.words.item, "other words");
    call.words.item.clear();
    check(call.predict().words->item.empty(), "not empty");
  });
  feature("tensor", "", [] {
    Call call("tensor");
    ns1__Tensor &grid = *call.predict().grid;
    check(grid.dtype == ns1__DType__float32 && grid.shape->item == call.shape.item, "another shape");
    check(grid.doubles->item == call.values.item, "other values");
  });
  feature("image", "", [] {
    Call call("image");
    pixels(call.predict());
  });
  feature("text", "", [] { text("text", " <b> & \"x\" ]]> "); });
  feature("utf8", "with the flag SOAP_C_UTFSTRING", [] { text("utf8", "你好 ü 😀"); });
  feature("nan", "", [] {
    Call call("nan");
    call.request.left = NAN;
    call.request.right = -INFINITY;
    call.series.item = {NAN, INFINITY, -INFINITY};
    ns1__Prediction &answer = call.predict();
    Doubles &series = answer.series->item;
    check(isnan(series.at(0)) && series.at(1) == INFINITY && series.at(2) == -INFINITY, "other numbers");
    for (auto *one : answer.scores->item)
      check(one->label == "left" ? isnan(one->score) : one->score == -INFINITY, "another score");
  });
  feature("batch", "", [] {
    Call call("batch");
    ns1__Instance first, second;
    for (ns1__Instance *one : {&first, &second}) {
      one->flag = true, one->count = 1, one->total = 2, one->level = 3, one->ratio = 4, one->offset = NULL;
      one->note = "note", one->left = 0, one->right = 1, one->series = &call.series, one->codes = &call.codes;
      one->words = &call.words, one->grid = &call.grid, one->picture = call.image;
    }
    call.offset = 2;
    second.offset = &call.offset;
    ns1__ArrayOfInstance instances;
    instances.item = {&first, &second};
    _ns1__predictBatch request;
    request.instances = &instances;
    _ns1__predictBatchResponse response;
    call.proxy.soap->mode |= SOAP_XML_TREE;
    soap_set_omode(call.proxy.soap, SOAP_XML_TREE);
    check(call.proxy.predictBatch(&request, response) == SOAP_OK, fault_of(call.proxy.soap));
    auto &items = response.predictBatchResult->item;
    check(items.size() == 2 && items[0]->shifted == 0 && items[1]->shifted == 4, "other answers");
  });
  feature("records", "", records);
  feature("conversation", "", conversation);
  feature("invalid-input", "soap->fault->detail has a member for each type",
          [] { Call("invalid-input").invalid_input(); });
  feature("model-not-found", "", model_not_found);
  feature("other-faults", "", other_faults);
  feature("mtom-in", "the flag SOAP_ENC_MTOM, and a type for each base64Binary", [] {
    Call call("mtom-in");
    call.image.type = (char *)"image/png";
    soap_set_omode(call.proxy.soap, SOAP_ENC_MTOM);
    pixels(call.predict());
  });
  feature("mtom-100", "", [] { mtom_out("mtom-100", 100); });
  feature("mtom-100k", "", [] { mtom_out("mtom-100k", 100000); });
  feature("mtom-20m", "", [] { mtom_out("mtom-20m", 20000000); });
  feature("gzip-in", "the flag SOAP_ENC_ZLIB, with WITH_GZIP", [] {
    Call call("gzip-in");
    soap_set_omode(call.proxy.soap, SOAP_ENC_ZLIB);
    call.scalars();
  });
  feature("gzip-out", "built with WITH_GZIP", gzip_out);
  feature("addressing", "the plugin wsaapi", [] {
    Call call("addressing"), failing("addressing");
    addressing(call);
    call.scalars();
    check(call.proxy.soap->header && call.proxy.soap->header->wsa5__RelatesTo, "no RelatesTo");
    addressing(failing);
    failing.invalid_input();
  });
  feature("threads", "", threads);
}
#else
static void all() {
  feature("soap12", "stubs of their own", [] {
    Call("soap12", "/soap12/kinds/v1").scalars();
    Call("soap12", "/soap12/kinds/v1").invalid_input();
  });
}
#endif

int main(int, char **arguments) {
  url = arguments[1];
  std::ifstream file(arguments[2], std::ios::binary);
  picture.assign(std::istreambuf_iterator<char>(file), {});
  std::ifstream photograph(arguments[3], std::ios::binary);
  scene.assign(std::istreambuf_iterator<char>(photograph), {});
  all();
}
