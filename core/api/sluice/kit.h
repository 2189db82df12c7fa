// The kit: helpers for authors, compiled into the module. It uses the interface and is no part of it, so it may
// change with each release, and a module that was built with an older kit still works.
#pragma once

#include <sluice/kit/answers.h>
#include <sluice/kit/call.h>
#include <sluice/kit/events.h>
#include <sluice/kit/flow.h>
#include <sluice/kit/forms.h>
#include <sluice/kit/json.h>
#include <sluice/kit/request.h>
#include <sluice/kit/router.h>
#include <sluice/kit/service.h>
#include <sluice/kit/websocket.h>
